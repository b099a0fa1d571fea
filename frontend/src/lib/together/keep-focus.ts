/** A card that somebody else moves or deletes is drawn elsewhere or not at all: the focus on it must not fall off the page. */
import type { Id } from '../types';

export interface Focused {
  id: Id;
  /** Ids of its list from the next card on, then backwards from the one before: who takes over if it is gone. */
  heirs: Id[];
  /** What inside the card had the focus: its link or its button. */
  selector: 'a' | 'button';
}

/** Which card has the focus now, if any; ask before the board is drawn. */
export function focusedCard(active: Element | null = document.activeElement): Focused | null {
  const card = active?.closest<HTMLElement>('[data-card]');
  const list = card?.closest('[data-column]');
  if (!active || !card || !list) return null;
  const ids = [...list.querySelectorAll<HTMLElement>('[data-card]')].map((other) => other.dataset.card as Id);
  const at = ids.indexOf(card.dataset.card as Id);
  const heirs = [...ids.slice(at + 1), ...ids.slice(0, at).reverse()];
  return { id: card.dataset.card as Id, heirs, selector: active.matches('button') ? 'button' : 'a' };
}

/** Gives the focus back where drawing has dropped it. Scrolls nothing. */
export function restoreFocus({ id, heirs, selector }: Focused): void {
  if (document.activeElement !== null && document.activeElement !== document.body) return;
  const find = (name: Id) => document.querySelector<HTMLElement>(`[data-card="${CSS.escape(name)}"]`);
  const own = find(id);
  const heir = own ?? heirs.map(find).find((card) => card !== null);
  heir?.querySelector<HTMLElement>(own ? selector : 'a')?.focus({ preventScroll: true });
}
