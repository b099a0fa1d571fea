/** Moving among cards by key. The order is the board's; where cards stand side by side is read from the screen. */
import { tick } from 'svelte';
import type { Card, Id } from './types';

export type Step = 'up' | 'down' | 'left' | 'right';

/** A board's columns as they are shown: key and cards, from left to right. */
export type Rows = ReadonlyArray<readonly Card[]>;

/** The card a step leads to, or null at the edge. Sideways it is the one at the same height, past empty columns. */
export function neighbourOf(rows: Rows, id: Id, step: Step): Id | null {
  const column = rows.findIndex((cards) => cards.some((card) => card.id === id));
  const cards = rows[column];
  if (!cards) return null;
  const index = cards.findIndex((card) => card.id === id);
  if (step === 'up' || step === 'down') return cards[index + (step === 'up' ? -1 : 1)]?.id ?? null;
  const side = step === 'left' ? -1 : 1;
  for (let other = column + side; other >= 0 && other < rows.length; other += side) {
    const beside = rows[other] ?? [];
    if (beside.length > 0) return atHeight(id, beside) ?? beside[Math.min(index, beside.length - 1)]?.id ?? null;
  }
  return null;
}

/** The card of a column that is drawn nearest to this one's height. */
function atHeight(id: Id, cards: readonly Card[]): Id | undefined {
  const top = cardElement(id)?.getBoundingClientRect().top;
  if (top === undefined) return undefined;
  let nearest: Id | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const card of cards) {
    const element = cardElement(card.id);
    const distance = element ? Math.abs(element.getBoundingClientRect().top - top) : least;
    if (distance < least) [nearest, least] = [card.id, distance];
  }
  return nearest;
}

const linkOf = (card: Element | null | undefined) => card?.querySelector<HTMLElement>('a') ?? null;

const cardElement = (id: string) => document.querySelector(`[data-card="${CSS.escape(id)}"]`);

/** The id of the card that has the focus, itself or by something in it. */
export function focusedCard(): Id | null {
  const card = document.activeElement?.closest<HTMLElement>('[data-card]');
  return card?.dataset.card ?? null;
}

export function focusCard(id: string): void {
  linkOf(cardElement(id))?.focus();
}

/** Once the change just made is drawn: the card may be a new element in another column. */
export async function focusCardSoon(id: string): Promise<void> {
  await tick();
  focusCard(id);
}

/** Scrolls as little as needed to show it; where a column fills the screen, that column. */
export function showCard(id: string): void {
  cardElement(id)?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
}
