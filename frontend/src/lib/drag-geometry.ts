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
  const cards = [...best.querySelectorAll<HTMLElement>(':scope > [data-card]')].filter(
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

/** Scrolls the board sideways and the list under the pointer up or down, when the pointer is near an edge. */
export function scrollStep(board: HTMLElement, at: Point): void {
  const frame = board.getBoundingClientRect();
  board.scrollLeft += speed(at.x, Math.max(0, frame.left), Math.min(innerWidth, frame.right));
  for (const list of board.querySelectorAll<HTMLElement>('[data-column]')) {
    const { left, right, top, bottom } = list.getBoundingClientRect();
    if (at.x >= left && at.x <= right) list.scrollTop += speed(at.y, top, bottom);
  }
}
