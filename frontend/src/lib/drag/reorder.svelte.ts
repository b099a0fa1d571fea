/**
 * Putting the rows of a short list in order, by pointer or by keyboard. Both end in the same command: a row goes before
 * another one, or to the end. While a row is dragged nothing else moves; a line shows where it would go.
 */

/** Where a row goes: before the row of that index; the length of the list is its end. */
export type Drop = (from: number, before: number) => void;

/** Index of the row that the dropped one would stand before, by the middles of the rows (viewport pixels). */
export function dropIndex(middles: readonly number[], y: number): number {
  const index = middles.findIndex((middle) => y < middle);
  return index < 0 ? middles.length : index;
}

/** Whether that drop changes anything. */
export const moves = (from: number, before: number): boolean => before !== from && before !== from + 1;

export class Reorder {
  /** Index of the row in hand. */
  from = $state<number | null>(null);
  /** Where it would go. */
  before = $state<number | null>(null);

  readonly #drop: Drop;

  constructor(drop: Drop) {
    this.#drop = drop;
  }

  /** A press on a row's handle. */
  start(event: PointerEvent, index: number, list: HTMLElement): void {
    if (event.button !== 0) return;
    const handle = event.currentTarget as HTMLElement;
    handle.setPointerCapture(event.pointerId);
    const rows = [...list.children].map((row) => row.getBoundingClientRect());
    const middles = rows.map((row) => row.top + row.height / 2);
    const scrolled = scrollY;
    const stop = new AbortController();
    const { signal } = stop;
    const end = (drop: boolean) => {
      const { from, before } = this;
      stop.abort();
      this.from = this.before = null;
      if (drop && from !== null && before !== null && moves(from, before)) this.#drop(from, before);
    };
    handle.addEventListener(
      'pointermove',
      (move) => {
        this.from = index;
        this.before = dropIndex(middles, move.clientY + scrollY - scrolled);
      },
      { signal },
    );
    handle.addEventListener('pointerup', () => end(true), { signal });
    handle.addEventListener('pointercancel', () => end(false), { signal });
    addEventListener('keydown', (key) => key.key === 'Escape' && end(false), { signal });
  }

  /** Arrows on a row's handle. */
  key(event: KeyboardEvent, index: number, count: number): void {
    const before = { ArrowUp: index - 1, ArrowDown: index + 2, Home: 0, End: count }[event.key];
    if (before === undefined) return;
    event.preventDefault();
    if (before >= 0 && before <= count && moves(index, before)) this.#drop(index, before);
  }
}
