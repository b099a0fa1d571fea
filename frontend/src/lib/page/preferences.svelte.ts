/**
 * How this browser likes the page: theme, density, and whether others see what one does. Kept on the device, since a
 * phone and a desk want different things; every window of this browser follows at once.
 */
import { remember, remembered } from './storage';

export const THEMES = ['system', 'light', 'dark'] as const;
export const DENSITIES = ['cosy', 'compact'] as const;
export type Theme = (typeof THEMES)[number];
export type Density = (typeof DENSITIES)[number];

/** What the browser's own bars are painted with; the page's `--bg`. */
const BAR_COLORS = { light: '#f5f6f8', dark: '#121419' };

const oneOf = <T extends string>(all: readonly T[], value: string | null, first: T): T =>
  all.find((one) => one === value) ?? first;

const read = {
  theme: () => oneOf(THEMES, remembered('theme'), 'system'),
  density: () => oneOf(DENSITIES, remembered('density'), 'cosy'),
  visible: () => remembered('visible') !== 'off',
};

let theme = $state(read.theme());
let density = $state(read.density());
let visible = $state(read.visible());

export const preferences = {
  get theme(): Theme {
    return theme;
  },
  set theme(value: Theme) {
    theme = value;
    remember('theme', value);
    apply();
  },
  get density(): Density {
    return density;
  },
  set density(value: Density) {
    density = value;
    remember('density', value);
    apply();
  },
  /** Whether others see which card one looks at and where one writes. That one is online they see in any case. */
  get visible(): boolean {
    return visible;
  },
  set visible(value: boolean) {
    visible = value;
    remember('visible', value ? 'on' : 'off');
  },
  /** Puts theme and density on the page, and follows the other windows. Returns what ends that. */
  start(): () => void {
    const follow = () => {
      theme = read.theme();
      density = read.density();
      visible = read.visible();
      apply();
    };
    addEventListener('storage', follow);
    follow();
    return () => removeEventListener('storage', follow);
  },
};

function apply(): void {
  const root = document.documentElement;
  if (theme === 'system') delete root.dataset.theme;
  else root.dataset.theme = theme;
  root.dataset.density = density;
  for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) {
    const own = meta.getAttribute('media')?.includes('dark') ? 'dark' : 'light';
    meta.content = BAR_COLORS[theme === 'system' ? own : theme];
  }
}
