/**
 * Dragging a card with a mouse, a pen or a finger.
 *
 * The card itself follows the pointer, taken out of the flow, and a gap of its exact height shows where it would land;
 * nothing else changes size. It stays the same element all the while: a touch whose target leaves the page goes silent.
 * What a drop means, `onDrop` knows; this module knows no board.
 */
import { type Drop, dropAt, Pager, type Point, scrollLists, scrollSideways } from './drag-geometry';
import { Press } from './press';

export interface Dragging {
  id: string;
  over: Drop;
  /** Where the card was taken from. */
  from: Drop;
  width: number;
  height: number;
  x: number;
  y: number;
}

export interface DragOptions {
  canDrag: () => boolean;
  /** Freezes the layout; the function it returns thaws it. */
  hold: () => () => void;
  /** Whether lists are shown one at a time, so that an edge turns the page. */
  paged?: () => boolean;
  /** Told while the layout is still frozen; what it returns makes the change, once the layout is what it is by then. */
  onDrop: (id: string, over: Drop) => () => void;
}

export class Drag {
  now = $state.raw<Dragging | null>(null);
  /** The card being dragged; the others need not look at `now`, which changes every frame. */
  readonly id = $derived(this.now?.id ?? null);
  /** Where the gap is; the same object until it moves. */
  readonly over = $derived(this.now?.over ?? null);
  readonly height = $derived(this.now?.height ?? 0);

  readonly #options: DragOptions;
  readonly #press: Press;
  readonly #pager = new Pager();
  #board: HTMLElement | null = null;
  #grip: Point = { x: 0, y: 0 };
  #release: () => void = () => {};
  #after: () => void = () => {};

  constructor(options: DragOptions) {
    this.#options = options;
    this.#press = new Press({
      take: (target) => (this.#options.canDrag() ? target.closest<HTMLElement>('[data-card]') : null),
      lift: (card, start) => this.#lift(card, start),
      frame: (at) => this.#follow(at),
      drop: () => this.#drop(),
      end: () => this.#end(),
    });
  }

  /** For `use:drag.attach` on the element that scrolls sideways and holds every list. */
  attach = (board: HTMLElement) => {
    this.#board = board;
    return { destroy: this.#press.listen(board) };
  };

  #lift(card: HTMLElement, start: Point): boolean {
    const list = card.closest<HTMLElement>('[data-column]');
    if (!list) return false;
    const { left, top, width, height } = card.getBoundingClientRect();
    this.#grip = { x: start.x - left, y: start.y - top };
    this.#release = this.#options.hold();
    let next = card.nextElementSibling;
    while (next && !next.matches('[data-card]:not([data-away])')) next = next.nextElementSibling;
    const before = next?.getAttribute('data-card') ?? list.dataset.rest ?? null;
    const from = { status: list.dataset.column as string, before };
    this.now = { id: card.dataset.card as string, over: from, from, width, height, x: left, y: top };
    return true;
  }

  /** The card under the pointer, the lists under the card. */
  #follow(at: Point): void {
    const { now } = this;
    if (!now || !this.#board) return;
    const over = dropAt(this.#board, at, now.id) ?? now.over;
    const same = over.status === now.over.status && over.before === now.over.before;
    const x = at.x - this.#grip.x;
    const y = at.y - this.#grip.y;
    if (!same || x !== now.x || y !== now.y) this.now = { ...now, x, y, over: same ? now.over : over };
    scrollSideways(this.#board, at.x, this.#options.paged?.() ? this.#pager : null);
    scrollLists(this.#board, at);
  }

  #drop(): void {
    const { now } = this;
    if (!now || (now.over.status === now.from.status && now.over.before === now.from.before)) return;
    this.#after = this.#options.onDrop(now.id, now.over);
  }

  #end(): void {
    const after = this.#after;
    this.#after = () => {};
    this.now = null;
    this.#release();
    this.#release = () => {};
    after();
  }
}
