/** Where a lifted card would land, read from the lists on the screen. */

/** In front of a card of a column; `before: null` is its end. */
export interface Drop {
  status: string;
  before: string | null;
}

export interface Point {
  x: number;
  y: number;
}

/** So near an edge a drag scrolls, faster the nearer. */
const EDGE_PX = 56;
const FASTEST_PX = 18;

/**
 * The place under the pointer: the column it is over (or the nearest), in front of the first card whose middle is
 * below it. The gap moves cards aside by its own height, so this does not flicker at a border.
 */
export function dropAt(board: HTMLElement, at: Point, dragged: string): Drop | null {
  let best: HTMLElement | null = null;
  let distance = Number.POSITIVE_INFINITY;
  for (const list of board.querySelectorAll<HTMLElement>('[data-column]')) {
    const { left, right } = list.getBoundingClientRect();
    const away = at.x < left ? left - at.x : at.x > right ? at.x - right : 0;
    if (away < distance) [best, distance] = [list, away];
  }
  if (!best) return null;
  // One that is drawn out of its place, because it has the focus, is in no order.
  const cards = [...best.querySelectorAll<HTMLElement>(':scope > [data-card]:not([data-away])')].filter(
    (card) => card.dataset.card !== dragged,
  );
  const next = cards[firstBelow(cards, at.y)];
  return { status: best.dataset.column as string, before: next?.dataset.card ?? best.dataset.rest ?? null };
}

/** Index of the first card whose middle lies below `y`; they stand in order, so half of them need no look each time. */
function firstBelow(cards: readonly HTMLElement[], y: number): number {
  let low = 0;
  let high = cards.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const { top, height } = (cards[middle] as HTMLElement).getBoundingClientRect();
    if (top + height / 2 < y) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How far to scroll this frame, for a pointer at `at` between two edges; 0 in the middle. */
export function speed(at: number, start: number, end: number): number {
  const near = (gap: number) => Math.min(1, Math.max(0, (EDGE_PX - gap) / EDGE_PX));
  return Math.round(FASTEST_PX * (near(end - at) - near(at - start)));
}

/** How long a card waits at an edge before the page turns, and again before the next one. */
const TURN_MS = 500;

/** Turns the pages of a board that shows one column at a time. */
export class Pager {
  #side: -1 | 0 | 1 = 0;
  #since = 0;

  /** -1 or 1 when it is time to turn to that side. */
  turn(at: number, start: number, end: number, now: number): -1 | 0 | 1 {
    const pace = speed(at, start, end);
    const side = pace < 0 ? -1 : pace > 0 ? 1 : 0;
    if (side !== this.#side) this.#since = now;
    this.#side = side;
    if (side === 0 || now - this.#since < TURN_MS) return 0;
    this.#since = now;
    return side;
  }
}

/**
 * Scrolls the board sideways when the pointer is near its edge.
 *
 * @param pager for a board that shows one column at a time: it goes on by whole columns
 */
export function scrollSideways(
  board: HTMLElement,
  x: number,
  pager: Pager | null = null,
  now = performance.now(),
): void {
  const frame = board.getBoundingClientRect();
  const [left, right] = [Math.max(0, frame.left), Math.min(innerWidth, frame.right)];
  if (pager) {
    const side = pager.turn(x, left, right, now);
    if (side !== 0) board.scrollBy({ left: side * pageWidth(board), behavior: 'smooth' });
    return;
  }
  const step = speed(x, left, right);
  if (step !== 0) board.scrollLeft += step;
}

/** Scrolls the list under the pointer up or down when the pointer is near its edge. */
export function scrollLists(board: HTMLElement, at: Point): void {
  for (const list of board.querySelectorAll<HTMLElement>('[data-column]')) {
    const { left, right, top, bottom } = list.getBoundingClientRect();
    const step = at.x >= left && at.x <= right ? speed(at.y, top, bottom) : 0;
    if (step !== 0) list.scrollTop += step;
  }
}

/** From one column to the next. */
function pageWidth(board: HTMLElement): number {
  const [first, second] = board.querySelectorAll<HTMLElement>('[data-column]');
  if (!first || !second) return board.clientWidth;
  return second.getBoundingClientRect().left - first.getBoundingClientRect().left;
}
