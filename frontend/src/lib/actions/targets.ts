/** The cards a key is about: the marked ones, else the one in focus, the one open beside, or the one pointed at. */
import type { BoardView } from '../board/board-view.svelte';
import { focusedCard } from '../board/keys';
import type { Card } from '../types';

export function targetsOf(view: BoardView): readonly Card[] {
  const marked = view.tools.selection.cards;
  if (marked.length > 0) return marked;
  const focused = focusedCard();
  const card = focused !== null ? view.store.card(focused) : (openedCard(view) ?? pointedCard(view));
  return card ? [card] : [];
}

function openedCard(view: BoardView): Card | undefined {
  const inside = document.activeElement?.closest('[role="dialog"]');
  return inside || document.activeElement === document.body ? view.openCard : undefined;
}

/** Only where nothing else has the focus, or a key on some button would change a card that lies under the pointer. */
function pointedCard(view: BoardView): Card | undefined {
  if (document.activeElement !== document.body) return undefined;
  const element = document.querySelector<HTMLElement>('[data-card]:hover');
  return element?.dataset.card ? view.store.card(element.dataset.card) : undefined;
}
