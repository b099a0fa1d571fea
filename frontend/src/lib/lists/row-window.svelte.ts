/**
 * The rows of a long list that are drawn: all of one height, those near the visible part, and one that must not go
 * because the keyboard is on it. What one looks at stays where it is when rows come or go above it.
 */
import { untrack } from 'svelte';
import { bySteps } from '../page/once-shown';

/** Rows drawn beyond each edge: a flick of the wheel shows nothing empty. */
const BEYOND = 12;
/** The drawn part follows in steps of so many rows, not with every pixel. */
const STEP = 6;
/** So many rows more at each edge are drawn with each task, once what one sees is on the screen. */
const STEP_DRAWN = 4;

interface Row {
  id: string;
}

export class RowWindow<R extends Row> {
  element = $state.raw<HTMLElement | null>(null);
  #top = $state(0);
  #height = $state(globalThis.innerHeight || 800);
  /** How many rows beyond what one sees may be drawn so far. */
  #reach = $state(0);

  readonly #rows: () => readonly R[];
  readonly #rowHeight: () => number;
  readonly #kept: () => string | null;

  readonly #first = $derived.by(() => Math.floor(this.#top / this.#rowHeight()));
  readonly #seen = $derived.by(() => Math.ceil(this.#height / this.#rowHeight()));
  /** What is drawn in the end. */
  readonly #from = $derived(Math.floor(this.#first / STEP) * STEP - BEYOND);
  readonly #to = $derived(this.#from + this.#seen + 2 * BEYOND + STEP);
  readonly #start = $derived(Math.max(0, this.#from, this.#first - this.#reach));
  readonly #end = $derived(Math.min(this.#to, this.#first + this.#seen + this.#reach));

  /** What is drawn, and where: its index in the list. */
  readonly drawn = $derived.by(() => {
    const rows = this.#rows();
    const drawn = rows.slice(this.#start, this.#end).map((row, index) => ({ row, index: this.#start + index }));
    const kept = this.#kept();
    if (kept !== null && !drawn.some(({ row }) => row.id === kept)) {
      const index = rows.findIndex(({ id }) => id === kept);
      if (index >= 0) drawn.push({ row: rows[index] as R, index });
    }
    return drawn;
  });

  /**
   * @param kept id of the row that stays drawn wherever one scrolls
   */
  constructor(rows: () => readonly R[], rowHeight: () => number, kept: () => string | null) {
    this.#rows = rows;
    this.#rowHeight = rowHeight;
    this.#kept = kept;
  }

  /** For `use:window.attach` on the element that scrolls. */
  attach = (element: HTMLElement) => {
    this.element = element;
    const scroll = () => (this.#top = element.scrollTop);
    const watch =
      typeof ResizeObserver === 'undefined'
        ? null
        : new ResizeObserver(() => (this.#height = element.clientHeight || this.#height));
    watch?.observe(element);
    bySteps(this.#reachOut);
    element.addEventListener('scroll', scroll, { passive: true });
    return {
      destroy: () => {
        watch?.disconnect();
        element.removeEventListener('scroll', scroll);
        this.element = null;
      },
    };
  };

  readonly #reachOut = (): boolean => {
    this.#reach += STEP_DRAWN;
    if (this.#reach < 2 * BEYOND + STEP && this.element) return false;
    this.#reach = Infinity;
    return true;
  };

  /** Scrolls as little as needed until the row at this index is visible, below a head of `above` pixels. */
  reveal(index: number, above: number): void {
    const { element } = this;
    if (!element) return;
    const [top, bottom] = [index * this.#rowHeight(), (index + 1) * this.#rowHeight() + above];
    if (top < element.scrollTop) element.scrollTop = top;
    else if (bottom > element.scrollTop + element.clientHeight) element.scrollTop = bottom - element.clientHeight;
    this.#top = element.scrollTop;
  }

  /** Scrolls along when rows come or go above the visible part. To be called as the list's component is made. */
  keepStill(): void {
    let before = untrack(this.#rows);
    $effect(() => {
      const rows = this.#rows();
      const element = untrack(() => this.element);
      if (rows !== before && element && element.scrollTop > 0) {
        const height = untrack(this.#rowHeight);
        const shift = shiftOf(before, rows, Math.floor(element.scrollTop / height));
        if (shift !== 0) {
          element.scrollTop += shift * height;
          this.#top = element.scrollTop;
        }
      }
      before = rows;
    });
  }
}

/** How many rows the first visible one that is still there has moved down by. */
export function shiftOf(before: readonly Row[], after: readonly Row[], first: number): number {
  const places = new Map(after.map(({ id }, index) => [id, index]));
  for (let index = first; index < Math.min(before.length, first + 40); index++) {
    const place = places.get((before[index] as Row).id);
    if (place !== undefined) return place - index;
  }
  return 0;
}
