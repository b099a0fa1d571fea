/** Every action of the page that is open, in one table: pages add theirs while they are there. */
import type { BoardView } from '../board/board-view.svelte';
import type { Card } from '../types';
import { type Action, isPossible } from './action';

interface Source {
  actions: readonly Action[];
  /** The cards an action would be about. */
  cards: () => readonly Card[];
  /** The board they are about. */
  view: BoardView | null;
}

const NONE: readonly Card[] = [];

class ActionTable {
  #sources = $state.raw<readonly Source[]>([]);

  readonly all = $derived(this.#sources.flatMap(({ actions }) => actions));

  /** The board that is open. */
  readonly view = $derived(this.#sources.find(({ view }) => view !== null)?.view ?? null);

  /** Adds a page's actions; the function it returns takes them out again. */
  add(
    actions: readonly Action[],
    cards: () => readonly Card[] = () => NONE,
    view: BoardView | null = null,
  ): () => void {
    const source = { actions, cards, view };
    this.#sources = [...this.#sources, source];
    return () => {
      this.#sources = this.#sources.filter((other) => other !== source);
    };
  }

  /** The cards that have the attention now. */
  cards(): readonly Card[] {
    return this.#sources.map(({ cards }) => cards()).find((cards) => cards.length > 0) ?? NONE;
  }

  possible(cards: readonly Card[] = this.cards()): Action[] {
    return this.all.filter((action) => isPossible(action, cards));
  }

  find(id: string): Action | undefined {
    return this.all.find((action) => action.id === id);
  }
}

export const actionTable = new ActionTable();
