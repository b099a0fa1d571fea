/** What a person can do with the cards of a board. The pointer, the keyboard and the menus all end here. */
import { announce } from './announcer.svelte';
import type { BoardStore } from './board.svelte';
import type { Change, NewCard } from './changes';
import { t } from './i18n.svelte';
import { newId } from './ids';
import type { Card, Id, Placement, TaskPatch } from './types';

export type Direction = 'up' | 'down' | 'left' | 'right' | 'top' | 'bottom';

/** A change without what every change has. */
type Body<C = Change> = C extends Change ? Omit<C, 'op_id' | 'at'> : never;

export class Commands {
  readonly #store: BoardStore;
  #last = 0;

  constructor(store: BoardStore) {
    this.#store = store;
  }

  create(task: NewCard): void {
    this.#add({ kind: 'create', task });
  }

  /** Puts a card where it is told, and says so. */
  move(id: Id, to: Placement): void {
    this.#add({ kind: 'move', task_id: id, to });
    this.#announceMove(id);
  }

  /** Puts a card at an index of a column, counted without the card itself. */
  moveTo(id: Id, status: string, index: number): void {
    const others = this.#column(status).filter((card) => card.id !== id);
    const next = others[index];
    this.move(id, next ? { status, before_id: next.id } : { status });
  }

  /** One step in a direction; sideways to the same height of the next column. Says no at the edge by doing nothing. */
  step(card: Card, direction: Direction): void {
    const columns = this.#store.shown?.columns ?? [];
    const column = columns.findIndex(({ key }) => key === card.status);
    const index = this.#column(card.status).findIndex(({ id }) => id === card.id);
    const last = this.#column(card.status).length - 1;
    if (direction === 'left' || direction === 'right') {
      const target = columns[column + (direction === 'left' ? -1 : 1)];
      if (target) this.moveTo(card.id, target.key, index);
      return;
    }
    const to = { up: index - 1, down: index + 1, top: 0, bottom: last }[direction];
    if (to >= 0 && to <= last && to !== index) this.moveTo(card.id, card.status, to);
  }

  /** Changes fields of a task. `seen` is the version the person was looking at. */
  patch(id: Id, fields: TaskPatch, seen = this.#store.card(id)?.version): void {
    this.#add({ kind: 'patch', task_id: id, fields, seen: seen || undefined });
  }

  delete(card: Card): void {
    this.#add({ kind: 'delete', task_id: card.id });
    announce(t('announce.deleted', { key: card.key || card.title }));
  }

  comment(id: Id, body: string): void {
    this.#add({ kind: 'comment', task_id: id, body });
  }

  /** Sends a refused change once more. */
  retry({ op_id: _op, at: _at, ...body }: Change): void {
    this.#add(body as Body);
  }

  #add(body: Body): void {
    // Never twice the same moment, so that changes read back from the device keep their order.
    this.#last = Math.max(Date.now(), this.#last + 1);
    this.#store.change({ ...body, op_id: newId(), at: this.#last } as Change);
  }

  #column(status: string): Card[] {
    return this.#store.cards.get(status) ?? [];
  }

  #announceMove(id: Id): void {
    const card = this.#store.card(id);
    const column = this.#store.shown?.columns.find(({ key }) => key === card?.status);
    if (!card || !column) return;
    const cards = this.#column(card.status);
    announce(
      t('announce.moved', {
        key: card.key || card.title,
        column: column.name,
        position: cards.findIndex((other) => other.id === id) + 1,
        count: cards.length,
      }),
    );
  }
}
