/** The keys of an open task: Escape goes back, J and K go to the next and the previous card of the column. */
import type { BoardView } from '../../lib/board/board-view.svelte';
import { router } from '../../lib/page/router.svelte';
import { shortcuts } from '../../lib/shortcuts/settings.svelte';
import { isTaken, isTyping } from '../../lib/shortcuts/typing';
import type { Card } from '../../lib/types';

/** The neighbour in the column; at its end, the nearest card of the next column that has one. */
export function neighbour(view: BoardView, card: Card, by: 1 | -1): Card | null {
  const all = view.store.columns.flatMap(({ key }) => view.store.cards.get(key) ?? []);
  const next = all[all.findIndex(({ id }) => id === card.id) + by];
  return next && next.number > 0 ? next : null;
}

export function step(view: BoardView, card: Card, by: 1 | -1): void {
  const next = neighbour(view, card, by);
  if (next) router.go(view.taskPath(next.number), { replace: true });
}

export function panelKey(event: KeyboardEvent, view: BoardView, card: Card): void {
  if (event.defaultPrevented || event.isComposing) return;
  if (event.key === 'Escape') {
    view.closeTask();
    event.preventDefault();
    return;
  }
  const plain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey;
  const by = event.code === 'KeyJ' ? 1 : event.code === 'KeyK' ? -1 : 0;
  if (!plain || by === 0 || !shortcuts.letters || isTyping(event.target) || isTaken(event.target)) return;
  event.preventDefault();
  event.stopPropagation();
  step(view, card, by);
}
