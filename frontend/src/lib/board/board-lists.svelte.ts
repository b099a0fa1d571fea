/**
 * The cards as the columns show them, and the way from one to the next. All of it goes by the data: most cards of a
 * long column are not drawn, and become so when somebody goes there.
 */
import { tick } from 'svelte';
import { SvelteMap } from 'svelte/reactivity';
import type { VirtualList } from '../lists/virtual-list.svelte';
import type { Card, Id } from '../types';
import type { BoardStore } from './board.svelte';
import type { Collapsed } from './collapsed.svelte';
import type { Filtering } from './filtering.svelte';

export type Side = 'up' | 'down' | 'left' | 'right';

const NONE: readonly Card[] = [];

export class BoardLists {
  readonly #store: BoardStore;
  readonly #filtering: Filtering;
  readonly #collapsed: Collapsed;
  /** Drawn columns by key. */
  readonly #lists = new SvelteMap<string, VirtualList<Card>>();
  #before = new Map<string, readonly Card[]>();

  /** Cards of each column that the filter lets through. A list that did not change is the same object as before. */
  readonly cards = $derived.by<ReadonlyMap<string, readonly Card[]>>(() => {
    const { active, shows } = this.#filtering;
    const next = new Map<string, readonly Card[]>();
    for (const [key, all] of this.#store.cards) {
      const shown = active ? all.filter(shows) : all;
      const before = this.#before.get(key);
      next.set(key, before && sameCards(before, shown) ? before : shown);
    }
    this.#before = next;
    return next;
  });
  /** The same in one list, column by column: what list and calendar show. */
  readonly inOrder = $derived.by(() => this.#store.columns.flatMap(({ key }) => this.of(key)));
  readonly total = $derived.by(() => this.#store.shown?.tasks.length ?? 0);
  readonly shown = $derived.by(() => [...this.cards.values()].reduce((sum, cards) => sum + cards.length, 0));

  constructor(store: BoardStore, filtering: Filtering, collapsed: Collapsed) {
    this.#store = store;
    this.#filtering = filtering;
    this.#collapsed = collapsed;
  }

  of(column: string): readonly Card[] {
    return this.cards.get(column) ?? NONE;
  }

  hidden(column: string): number {
    return (this.#store.cards.get(column)?.length ?? 0) - this.of(column).length;
  }

  /** A column is drawn. Returns what takes it back. */
  register(column: string, list: VirtualList<Card>): () => void {
    this.#lists.set(column, list);
    return () => {
      if (this.#lists.get(column) === list) this.#lists.delete(column);
    };
  }

  /** Notes where every column stands, before any of them is drawn anew. */
  note(): void {
    for (const list of this.#lists.values()) list.note();
  }

  /** The card an arrow leads to: up and down within the column, sideways at the same height. Null at the edge. */
  neighbour(id: Id, side: Side): Id | null {
    const card = this.#store.card(id);
    if (!card) return null;
    const list = this.of(card.status);
    if (side === 'up' || side === 'down') {
      const index = list.findIndex((other) => other.id === id);
      return list[index + (side === 'up' ? -1 : 1)]?.id ?? null;
    }
    const columns = this.#store.columns;
    const step = side === 'left' ? -1 : 1;
    const height = this.#lists.get(card.status)?.heightOf(id) ?? 0;
    for (let at = columns.findIndex(({ key }) => key === card.status) + step; columns[at]; at += step) {
      const { key } = columns[at] as { key: string };
      const cards = this.of(key);
      if (cards.length === 0 || this.#collapsed.has(key)) continue;
      return (this.#lists.get(key)?.rowAtHeight(height) ?? cards[0])?.id ?? null;
    }
    return null;
  }

  /** Scrolls as little as needed to show a card; where a column fills the screen, that column. */
  async show(id: Id): Promise<HTMLElement | null> {
    // A change of one's own just now is drawn with the next tick.
    await tick();
    const card = this.#store.card(id);
    const list = card && this.#lists.get(card.status);
    if (!list) return null;
    list.near = true;
    await list.reveal(id);
    const element = list.element?.querySelector<HTMLElement>(`:scope > [data-card="${CSS.escape(id)}"]`) ?? null;
    element?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    return element;
  }
}

function sameCards(a: readonly Card[], b: readonly Card[]): boolean {
  return a.length === b.length && a.every((card, index) => card === b[index]);
}
