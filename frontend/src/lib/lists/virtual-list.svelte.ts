/**
 * The cards of one column that are drawn: those near its visible part, and a few that must not go (the one with the
 * focus, the one in somebody's hand). They stand in the flow; the rest of the height is padding.
 *
 * Guarantee: what one looks at stays where it is, whatever is put in, taken out or measured above it.
 */
import { tick, untrack } from 'svelte';
import { bySteps } from '../page/once-shown';
import { offsetsOf, rowAt, rowsBetween, type Seen, scrollToShow, shiftOf } from './virtual';

/** Drawn beyond each edge of the visible part, in pixels: a flick of the wheel shows nothing empty. */
const BEYOND_PX = 500;
/** The drawn part follows in steps of so many pixels, not with every one. */
const STEP_PX = 250;
/** A column of so many cards is drawn whole: the browser's own search finds all of it. */
const WHOLE = 40;
/** So many rows more at each edge are drawn with each task, once what one sees is on the screen. */
const STEP_ROWS = 4;
/** Room left around a row that is scrolled to. */
const AIR_PX = 8;

interface Row {
  id: string;
}

/** What a drag does to the heights: the lifted row takes no room, the gap takes `height` in front of `before`. */
export interface Lifted {
  id: string | null;
  /** Undefined where the gap is in another list, null at the end. */
  before: string | null | undefined;
  height: number;
}

export interface Options<T extends Row> {
  rows: () => readonly T[];
  estimate: (row: T) => number;
  /** Rows that stay drawn wherever one scrolls. */
  pinned: () => ReadonlyArray<string | null | undefined>;
  lifted: () => Lifted | null;
}

export interface Drawn<T> {
  row: T;
  index: number;
  /** Where it is, for a row outside the drawn part; null in the flow. */
  away: number | null;
}

export class VirtualList<T extends Row> {
  element = $state.raw<HTMLElement | null>(null);

  readonly #options: Options<T>;
  readonly #sizes = new Map<string, number>();
  #measured = $state(0);
  #near = $state(true);
  /** How many rows beyond what one sees may be drawn so far. */
  #reach = $state(0);
  #top = $state(0);
  #height = $state(globalThis.innerHeight || 800);
  #focused = $state<string | null>(null);
  readonly #watch: ResizeObserver | null;
  #width = 0;
  /** Where it stood before it was last drawn anew. */
  #noted = 0;

  readonly #rows = $derived.by(() => this.#options.rows());
  /** Without what a drag does. */
  readonly #still = $derived.by(() => {
    void this.#measured;
    const rows = this.#rows;
    return offsetsOf(rows.length, (index) => this.#size(rows[index] as T));
  });
  readonly #offsets = $derived.by(() => {
    const lifted = this.#options.lifted();
    if (!lifted) return this.#still;
    const rows = this.#rows;
    return offsetsOf(rows.length, (index) => {
      const row = rows[index] as T;
      const own = row.id === lifted.id ? 0 : this.#size(row);
      return row.id === lifted.before ? own + lifted.height : own;
    });
  });
  readonly #from = $derived(Math.floor(this.#top / STEP_PX) * STEP_PX);
  /** What is to be drawn in the end. */
  readonly #whole = $derived.by(() => {
    if (this.#rows.length <= WHOLE) return { start: 0, end: this.#rows.length };
    const bottom = this.#from + STEP_PX + this.#height + BEYOND_PX;
    return rowsBetween(this.#offsets, this.#from - BEYOND_PX, bottom);
  });
  readonly #range = $derived.by(() => {
    if (!this.#near) return { start: 0, end: 0 };
    if (this.#reach === Infinity) return this.#whole;
    const { start, end } = rowsBetween(this.#offsets, this.#top, this.#top + this.#height);
    return {
      start: Math.max(this.#whole.start, start - this.#reach),
      end: Math.min(this.#whole.end, end + this.#reach),
    };
  });
  readonly #start = $derived(this.#range.start);
  readonly #end = $derived(this.#range.end);

  /** What is drawn, in order. */
  readonly drawn = $derived.by<Drawn<T>[]>(() => {
    const rows = this.#rows;
    const [start, end] = [this.#start, this.#end];
    const pinned = new Set([...this.#options.pinned(), this.#focused]);
    const drawn: Drawn<T>[] = [];
    for (let index = start; index < end; index++) drawn.push({ row: rows[index] as T, index, away: null });
    if (pinned.size === 0 || (start === 0 && end === rows.length)) return drawn;
    rows.forEach((row, index) => {
      if (pinned.has(row.id) && (index < start || index >= end))
        drawn.push({ row, index, away: this.#offsets[index] as number });
    });
    return drawn.sort((a, b) => a.index - b.index);
  });
  /** Padding in the place of what is not drawn. */
  readonly above = $derived(this.#offsets[this.#start] ?? 0);
  readonly below = $derived((this.#offsets.at(-1) ?? 0) - (this.#offsets[this.#end] ?? 0));
  /** The first row behind the drawn part. */
  readonly rest = $derived(this.#rows[this.#end]?.id);

  constructor(options: Options<T>) {
    this.#options = options;
    this.#watch =
      typeof ResizeObserver === 'undefined' ? null : new ResizeObserver((entries) => this.#resized(entries));
  }

  /** Whether the list itself is near the visible part of the board; one far to the side draws only what is pinned. */
  get near(): boolean {
    return this.#near;
  }

  set near(value: boolean) {
    this.#near = value;
    this.#reach = 0;
    if (value) bySteps(this.#reachOut);
  }

  readonly #reachOut = (): boolean => {
    if (!this.element || !this.#near) return true;
    this.#reach += STEP_ROWS;
    if (this.#start > this.#whole.start || this.#end < this.#whole.end) return false;
    this.#reach = Infinity;
    return true;
  };

  /** For `use:list.attach` on the element that scrolls. */
  attach = (element: HTMLElement) => {
    this.element = element;
    const scroll = () => (this.#top = element.scrollTop);
    // A card that is taken out loses the focus while the board is being drawn, which is no time to change anything.
    const focus = (event: FocusEvent) => {
      const id = (event.target as Element).closest<HTMLElement>('[data-card]')?.dataset.card ?? null;
      queueMicrotask(() => (this.#focused = id));
    };
    const blur = () => queueMicrotask(() => (this.#focused = null));
    element.addEventListener('scroll', scroll, { passive: true });
    element.addEventListener('focusin', focus);
    element.addEventListener('focusout', blur);
    this.#watch?.observe(element);
    if (this.#near) bySteps(this.#reachOut);
    return {
      destroy: () => {
        this.#watch?.disconnect();
        element.removeEventListener('scroll', scroll);
        element.removeEventListener('focusin', focus);
        element.removeEventListener('focusout', blur);
        this.element = null;
      },
    };
  };

  /** For `use:list.measure` on the element of each row, which carries its id in `data-card`. */
  measure = (element: HTMLElement) => {
    this.#watch?.observe(element);
    return { destroy: () => this.#watch?.unobserve(element) };
  };

  /** Scrolls as little as needed until the row is visible, and so drawn. */
  async reveal(id: string): Promise<void> {
    const index = this.#rows.findIndex((row) => row.id === id);
    const { element } = this;
    if (index < 0 || !element) return;
    // Twice: what was estimated on the way there is measured once it is drawn.
    for (let round = 0; round < 2; round++) {
      const [top, bottom] = [this.#offsets[index] as number, this.#offsets[index + 1] as number];
      const to = scrollToShow(element.scrollTop, element.clientHeight, top, bottom, AIR_PX);
      if (to === element.scrollTop && round > 0) return;
      this.#scroll(element, to);
      await tick();
    }
  }

  /** How far below the upper edge of the list a row is, in pixels. */
  heightOf(id: string): number | null {
    const index = this.#rows.findIndex((row) => row.id === id);
    return index < 0 ? null : (this.#offsets[index] as number) - (this.element?.scrollTop ?? 0);
  }

  /** The row at that height below the upper edge of the list. */
  rowAtHeight(height: number): T | undefined {
    return this.#rows[rowAt(this.#offsets, height + (this.element?.scrollTop ?? 0))];
  }

  #size(row: T): number {
    return this.#sizes.get(row.id) ?? this.#options.estimate(row);
  }

  #scroll(element: HTMLElement, to: number): void {
    if (to !== element.scrollTop) element.scrollTop = to;
    this.#top = element.scrollTop;
  }

  #resized(entries: readonly ResizeObserverEntry[]): void {
    let changed = false;
    for (const { target, borderBoxSize } of entries) {
      const [size] = borderBoxSize;
      if (!size || !target.isConnected) continue;
      if (target === this.element) {
        this.#height = (target as HTMLElement).clientHeight;
        // Other lines, other heights: those not drawn are estimated again.
        if (this.#width !== 0 && Math.abs(this.#width - size.inlineSize) > 1) this.#sizes.clear();
        this.#width = size.inlineSize;
        continue;
      }
      const id = (target as HTMLElement).dataset.card;
      if (!id || size.blockSize === 0 || this.#sizes.get(id) === size.blockSize) continue;
      this.#sizes.set(id, size.blockSize);
      changed = true;
    }
    if (changed) this.#measured++;
  }

  /**
   * Notes where it stands. To be called in an `$effect.pre` ahead of everything that is drawn anew with it: in between,
   * the browser would have to lay out what has been drawn so far.
   */
  note(): void {
    void this.#still;
    // Nobody has scrolled a list that is still growing and stands at its beginning.
    const isNew = untrack(() => this.#reach < Infinity && this.#top === 0);
    this.#noted = isNew ? 0 : (untrack(() => this.element)?.scrollTop ?? 0);
  }

  /** Scrolls along when rows above the visible part come, go, or turn out to be of another height; see `note`. */
  keepStill(): void {
    let rows = untrack(() => this.#rows);
    let offsets = untrack(() => this.#still);
    $effect(() => {
      const top = this.#noted;
      const [nextRows, nextOffsets] = [this.#rows, this.#still];
      const element = untrack(() => this.element);
      if (element && top > 0 && nextOffsets !== offsets) {
        const shift = shiftOf(seen(rows, offsets, top, element.clientHeight), nextRows, nextOffsets);
        if (shift !== 0) this.#scroll(element, top + shift);
      }
      [rows, offsets] = [nextRows, nextOffsets];
    });
  }
}

/** The rows in the visible part, and where they are. */
function seen(rows: readonly Row[], offsets: Float64Array, top: number, height: number): Seen[] {
  const { start, end } = rowsBetween(offsets, top, top + height);
  return rows.slice(start, end).map(({ id }, index) => ({ id, top: offsets[start + index] as number }));
}
