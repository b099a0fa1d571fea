/** Moving among cards with the arrow keys. The order is the one on the screen, so it is read from there. */

/** The card link that an arrow leads to from `card`, or null at the edge. */
export function neighbour(board: HTMLElement, card: HTMLElement, key: string): HTMLElement | null {
  if (key === 'ArrowUp' || key === 'ArrowDown') {
    let other = key === 'ArrowUp' ? card.previousElementSibling : card.nextElementSibling;
    while (other && !other.hasAttribute('data-card'))
      other = key === 'ArrowUp' ? other.previousElementSibling : other.nextElementSibling;
    return linkOf(other);
  }
  const lists = [...board.querySelectorAll<HTMLElement>('[data-column]')];
  const here = lists.findIndex((list) => list.contains(card));
  const step = key === 'ArrowLeft' ? -1 : 1;
  for (let index = here + step; index >= 0 && index < lists.length; index += step) {
    const cards = [...(lists[index] as HTMLElement).querySelectorAll('[data-card]')];
    if (cards.length > 0) return linkOf(nearest(cards, card));
  }
  return null;
}

/** The card at the same height. */
function nearest(cards: Element[], card: Element): Element {
  const top = card.getBoundingClientRect().top;
  const distance = (other: Element) => Math.abs(other.getBoundingClientRect().top - top);
  return cards.reduce((best, other) => (distance(other) < distance(best) ? other : best));
}

const linkOf = (card: Element | null | undefined) => card?.querySelector<HTMLElement>('a') ?? null;

const cardElement = (id: string) => document.querySelector(`[data-card="${CSS.escape(id)}"]`);

export function focusCard(id: string): void {
  linkOf(cardElement(id))?.focus();
}

/** Scrolls as little as needed to show it; where a column fills the screen, that column. */
export function showCard(id: string): void {
  cardElement(id)?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
}
