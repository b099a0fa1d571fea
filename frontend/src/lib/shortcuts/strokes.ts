/**
 * What is pressed, as a name: `C`, `Shift+X`, `Mod+K`, `Shift+ArrowUp`, `<`. `Mod` is ⌘ on a Mac and Ctrl elsewhere.
 *
 * A Latin letter counts as what it says, so that Ctrl+Z is where a German or a French keyboard has its Z. On any other
 * layout the place of the key counts (`event.code`): С on a Russian keyboard is C, for they are the same key.
 */

/** What strokes are made of; a KeyboardEvent is one. */
export type Press = Pick<KeyboardEvent, 'key' | 'code' | 'shiftKey' | 'ctrlKey' | 'metaKey' | 'altKey' | 'isComposing'>;

/** Keys whose sign is the same on every keyboard that has a name for them. */
const NAMED = /^(?:Enter|Escape|Arrow(?:Up|Down|Left|Right)|Home|End|Delete|Backspace)$/;
const SIGNS = /^[<>?/]$/;
/** Signs by the place of their key, plain and with Shift. */
const SIGN_PLACES: Readonly<Record<string, readonly [string, string]>> = {
  Comma: ['', '<'],
  Period: ['', '>'],
  Slash: ['/', '?'],
};

export const isMac = (platform = navigator.platform): boolean => /^(?:Mac|iP)/.test(platform);

/** The names a press goes by; several where a sign may be meant by its place or by what it says. */
export function strokesOf(press: Press, mac = isMac()): string[] {
  const mod = mac ? press.metaKey : press.ctrlKey;
  const foreign = mac ? press.ctrlKey : press.metaKey;
  if (press.isComposing || press.key === 'Process' || press.altKey || foreign) return [];
  const prefix = mod ? 'Mod+' : '';
  return namesOf(press).map((name) => prefix + (press.shiftKey && !SIGNS.test(name) ? 'Shift+' : '') + name);
}

function namesOf({ key, code, shiftKey }: Press): string[] {
  if (key === ' ') return ['Space'];
  if (NAMED.test(key)) return [key];
  if (/^[a-z]$/i.test(key)) return [key.toUpperCase()];
  if (SIGNS.test(key) || /^\d$/.test(key)) return [key];
  const [plain, shifted] = SIGN_PLACES[code] ?? ['', ''];
  const sign = shiftKey ? shifted : plain;
  // A key that says another Latin sign keeps it, but for the two that only ask and search.
  if (/^[\x21-\x7e]$/.test(key)) return code === 'Slash' && sign ? [sign] : [];
  const place = /^(?:Key([A-Z])|Digit(\d))$/.exec(code);
  const name = place ? (place[1] ?? place[2]) : sign;
  return name ? [name] : [];
}

const MAC_SIGNS: Readonly<Record<string, string>> = { Mod: '⌘', Shift: '⇧', Enter: '↩', Backspace: '⌫', Delete: '⌦' };
const SHOWN: Readonly<Record<string, string>> = {
  Mod: 'Ctrl',
  Escape: 'Esc',
  ArrowUp: '↑',
  ArrowDown: '↓',
  ArrowLeft: '←',
  ArrowRight: '→',
};

/** Keys as they are shown beside their action: `Ctrl+K`, `⌘K`, `G B`. */
export function shownKeys(keys: string, mac = isMac()): string {
  const one = (stroke: string) =>
    stroke
      .split('+')
      .map((part) => (mac && MAC_SIGNS[part]) || SHOWN[part] || part)
      .join(mac ? '' : '+');
  return keys.split(' ').map(one).join(' ');
}

/** For `aria-keyshortcuts`: sequences have no name there. */
export function ariaKeys(keys: readonly string[], mac = isMac()): string | undefined {
  const single = keys.filter((one) => !one.includes(' '));
  return single.map((one) => one.replace('Mod', mac ? 'Meta' : 'Control')).join(' ') || undefined;
}
