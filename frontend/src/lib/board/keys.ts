/** The focus among the cards of a board. Most cards of a long column are not drawn; the board draws whom one goes to. */
import { tick } from 'svelte';
import type { Id } from '../types';

type Show = (id: Id) => Promise<Element | null>;

const cardElement = (id: string) => document.querySelector(`[data-card="${CSS.escape(id)}"]`);
const linkOf = (card: Element | null | undefined) => card?.querySelector<HTMLElement>('a') ?? null;

let show: Show = async (id) => cardElement(id);

/** The board on the screen says how it draws a card and scrolls to it. Returns what ends that. */
export function cardsAreShownBy(way: Show): () => void {
  const before = show;
  show = way;
  return () => {
    if (show === way) show = before;
  };
}

/** The id of the card that has the focus, itself or by something in it. */
export function focusedCard(): Id | null {
  const card = document.activeElement?.closest<HTMLElement>('[data-card]');
  return card?.dataset.card ?? null;
}

export function focusCard(id: string): void {
  const drawn = cardElement(id);
  // One that is kept only for the focus it has had stands outside of what one sees.
  if (drawn && !drawn.hasAttribute('data-away')) linkOf(drawn)?.focus();
  else void show(id).then((card) => linkOf(card)?.focus({ preventScroll: true }));
}

/** Once the change just made is drawn: the card may be a new element in another column. */
export async function focusCardSoon(id: string): Promise<void> {
  await tick();
  focusCard(id);
}

/** Scrolls as little as needed to show it; where a column fills the screen, that column. */
export function showCard(id: string): void {
  void show(id).then((card) => card?.scrollIntoView({ block: 'nearest', inline: 'nearest' }));
}
