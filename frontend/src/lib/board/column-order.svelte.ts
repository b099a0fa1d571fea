/**
 * The order of the columns, changed by dragging a header or by the column's menu: both end in `move`. It is drawn at
 * once, and stays so until the log tells it too.
 */

import { type Point, scrollSideways } from '../drag/drag-geometry';
import { Press } from '../drag/press';
import { attempt } from '../server/attempt';
import type { Column, Id } from '../types';
import type { BoardStore } from './board.svelte';

/** By then what the log said is on the screen. */
const DRAWN_MS = 100;

interface Move {
  id: Id;
  /** The column it stands in front of; null is the end. */
  before: Id | null;
}

/** A column on its way: how far it was pulled, and where the line is that shows its place, in pixels of the board. */
export interface DraggedColumn extends Move {
  pulled: number;
  line: number;
}

/** The columns with one of them in its new place. An order that is so already stays as it is. */
export function reordered(columns: readonly Column[], { id, before }: Move): Column[] {
  const column = columns.find((other) => other.id === id);
  const others = columns.filter((other) => other.id !== id);
  const index = before === null ? others.length : others.findIndex((other) => other.id === before);
  if (!column || index < 0) return [...columns];
  return others.toSpliced(index, 0, column);
}

export class ColumnOrder {
  dragged = $state.raw<DraggedColumn | null>(null);
  #waiting = $state.raw<Move | null>(null);
  readonly columns = $derived.by(() => {
    const { columns } = this.#store;
    return this.#waiting ? reordered(columns, this.#waiting) : columns;
  });

  readonly #store: BoardStore;
  readonly #press: Press;
  #board: HTMLElement | null = null;
  #start = 0;
  #release: () => void = () => {};
  readonly stop: () => void;

  constructor(store: BoardStore, canManage: () => boolean) {
    this.#store = store;
    this.#press = new Press({
      take: (target) =>
        canManage() && !target.closest('[data-card]') ? target.closest<HTMLElement>('[data-column-grip]') : null,
      lift: (grip, start) => this.#lift(grip, start),
      frame: (at) => this.#follow(at),
      drop: () => this.#drop(),
      end: () => {
        this.dragged = null;
        this.#release();
      },
    });
    this.stop = store.follow((event) => {
      const mine = event?.type === 'column_updated' && event.data.column_id === this.#waiting?.id;
      // The board is drawn a frame after its log has told.
      if (event === null || mine) setTimeout(() => (this.#waiting = null), DRAWN_MS);
    });
  }

  /** For `use:order.attach` on the board. */
  attach = (board: HTMLElement) => {
    this.#board = board;
    return { destroy: this.#press.listen(board) };
  };

  /** Puts a column in front of another one, or at the end. */
  async move(id: Id, before: Id | null): Promise<void> {
    const others = this.columns.filter((column) => column.id !== id);
    const last = others.at(-1);
    if (!last) return;
    this.#waiting = { id, before };
    const where = before === null ? { after_id: last.id } : { before_id: before };
    const column = this.#store.columns.find((one) => one.id === id);
    if (!column) return;
    const done = await attempt(() => this.#store.commands.parts.updateColumn(column, where));
    await this.#store.refreshUnlessLive();
    if (!done) this.#waiting = null;
  }

  #lift(grip: HTMLElement, start: Point): boolean {
    const id = grip.dataset.columnGrip;
    if (!id || !this.#board) return false;
    this.#release = this.#store.hold();
    this.#start = start.x + this.#board.scrollLeft;
    this.dragged = { id, before: this.#after(id), pulled: 0, line: -1 };
    return true;
  }

  #follow(at: Point): void {
    const { dragged } = this;
    const board = this.#board;
    if (!dragged || !board) return;
    scrollSideways(board, at.x);
    const frame = board.getBoundingClientRect();
    const grips = [...board.querySelectorAll<HTMLElement>('[data-column-grip]')].filter(
      (grip) => grip.dataset.columnGrip !== dragged.id,
    );
    const boxes = grips.map((grip) => (grip.closest('section') ?? grip).getBoundingClientRect());
    const index = boxes.findIndex(({ left, width }) => at.x < left + width / 2);
    const edge = index < 0 ? (boxes.at(-1)?.right ?? 0) + 4 : (boxes[index] as DOMRect).left - 4;
    this.dragged = {
      id: dragged.id,
      before: index < 0 ? null : (grips[index]?.dataset.columnGrip ?? null),
      pulled: at.x + board.scrollLeft - this.#start,
      line: edge - frame.left + board.scrollLeft,
    };
  }

  #drop(): void {
    const { dragged } = this;
    if (dragged && dragged.before !== this.#after(dragged.id)) void this.move(dragged.id, dragged.before);
  }

  #after(id: Id): Id | null {
    const index = this.columns.findIndex((column) => column.id === id);
    return this.columns[index + 1]?.id ?? null;
  }
}
