/** The cards marked on a board, to be changed together. A card that leaves the board leaves the selection. */
import { SvelteSet } from 'svelte/reactivity';
import type { Id } from '../types';
import type { BoardStore } from './board.svelte';

export class Selection {
  readonly #store: BoardStore;
  readonly #ids = new SvelteSet<Id>();
  /** Where a range begins. */
  #anchor: Id | null = null;

  /** In the order of the board. */
  readonly cards = $derived.by(() => {
    if (this.#ids.size === 0) return [];
    return this.#store.columns.flatMap(({ key }) =>
      (this.#store.cards.get(key) ?? []).filter(({ id }) => this.#ids.has(id)),
    );
  });

  constructor(store: BoardStore) {
    this.#store = store;
  }

  has = (id: Id): boolean => this.#ids.has(id);

  toggle(id: Id): void {
    if (!this.#ids.delete(id)) this.#ids.add(id);
    this.#anchor = id;
  }

  /** Everything from the card marked last to this one, where both stand in one column; else this one too. */
  extend(id: Id): void {
    const status = this.#store.card(id)?.status ?? '';
    const ids = this.#store.commands.lists(status).map((card) => card.id);
    const from = ids.indexOf(this.#anchor ?? id);
    const to = ids.indexOf(id);
    const range = from < 0 ? [id] : ids.slice(Math.min(from, to), Math.max(from, to) + 1);
    for (const one of range) this.#ids.add(one);
    if (from < 0 || this.#anchor === null) this.#anchor = id;
  }

  clear(): void {
    this.#ids.clear();
    this.#anchor = null;
  }
}
