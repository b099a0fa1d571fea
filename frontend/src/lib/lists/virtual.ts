/**
 * Which rows of a long list are drawn, and where the others would be. Rows have heights of their own, known once they
 * were drawn and estimated before. Pure functions over offsets: the top of each row, and of the end behind the last.
 */

/** The top of every row and, last, the height of all. */
export function offsetsOf(count: number, size: (index: number) => number): Float64Array {
  const offsets = new Float64Array(count + 1);
  for (let index = 0; index < count; index++) offsets[index + 1] = (offsets[index] as number) + size(index);
  return offsets;
}

/** Index of the row at height `y`; the first or the last where `y` lies beyond. -1 in an empty list. */
export function rowAt(offsets: Float64Array, y: number): number {
  let low = 0;
  let high = offsets.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((offsets[middle] as number) <= y) low = middle;
    else high = middle - 1;
  }
  return high < 0 ? -1 : low;
}

/** Rows `start` to before `end` that touch the stretch from `top` to `bottom`. */
export function rowsBetween(offsets: Float64Array, top: number, bottom: number): { start: number; end: number } {
  if (offsets.length < 2) return { start: 0, end: 0 };
  return { start: rowAt(offsets, top), end: rowAt(offsets, bottom) + 1 };
}

/** A row on the screen, as somebody last saw it. */
export interface Seen {
  id: string;
  top: number;
}

/**
 * How far most of the rows one looks at have moved: scroll by as much, and they stand still.
 *
 * The middle of their shifts, so that a single row that was moved elsewhere takes nobody along. 0 if none is left.
 */
export function shiftOf(seen: readonly Seen[], ids: readonly { id: string }[], offsets: Float64Array): number {
  const tops = new Map(seen.map(({ id, top }) => [id, top]));
  const shifts: number[] = [];
  for (let index = 0; index < ids.length && shifts.length < tops.size; index++) {
    const top = tops.get((ids[index] as { id: string }).id);
    if (top !== undefined) shifts.push((offsets[index] as number) - top);
  }
  shifts.sort((a, b) => a - b);
  return shifts[shifts.length >> 1] ?? 0;
}

/** The least scrolling that shows a row from `top` to `bottom` in a window of that height at `at`, with some air. */
export function scrollToShow(at: number, height: number, top: number, bottom: number, air: number): number {
  if (top - air < at) return Math.max(0, top - air);
  if (bottom + air > at + height) return Math.max(0, Math.min(top - air, bottom + air - height));
  return at;
}
