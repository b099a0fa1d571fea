/** The cards of a project that its filter lets through, in the order of the board: what list and calendar show. */
import type { BoardView } from './board-view.svelte';
import { matcher, parseFilter } from './filter';
import { router } from './router.svelte';
import type { Card } from './types';

/** Read inside a component it follows the board, the address and, where days count, the clock. */
export function shownCards(view: BoardView): Card[] {
  const { store } = view;
  const filter = parseFilter(router.search);
  const done = new Set(store.columns.filter(({ is_done }) => is_done).map(({ key }) => key));
  const fits = matcher(filter, {
    me: store.user,
    timeZone: view.timeZone,
    now: filter.due.length > 0 ? view.clock.now : new Date(0),
    isDone: (status) => done.has(status),
  });
  return store.columns.flatMap(({ key }) => store.cards.get(key) ?? []).filter(fits);
}
