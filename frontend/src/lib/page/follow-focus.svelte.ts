/**
 * The focus stays with its card: where a change puts the card into another list, it is another element, and the one
 * that had the focus is gone.
 */
import { focusCard } from '../board/keys';

/** To be called as a component is made; `cards` is read to know when they change. */
export function followFocus(cards: () => unknown): void {
  let id: string | undefined;
  $effect.pre(() => {
    void cards();
    id = document.activeElement?.closest<HTMLElement>('[data-card]')?.dataset.card;
  });
  $effect(() => {
    void cards();
    if (id && document.activeElement === document.body) focusCard(id);
  });
}
