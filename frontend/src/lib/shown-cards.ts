/** The cards of a project that its filter lets through, in the order of the board: what list and calendar show. */
import type { BoardView } from './board-view.svelte';
import type { Card } from './types';

export function shownCards({ store, filtering }: BoardView): Card[] {
  return store.columns.flatMap(({ key }) => store.cards.get(key) ?? []).filter(filtering.shows);
}
