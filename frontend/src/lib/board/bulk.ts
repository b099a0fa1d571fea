/** One change for several cards: one change each through the same commands, and one step to undo. */

import type { Card, Id, TaskPatch } from '../types';
import { t } from '../words/i18n.svelte';
import type { BoardStore } from './board.svelte';

/** Does `one` to every card; with several it is one step, told as `text`. */
export function forEach(store: BoardStore, cards: readonly Card[], text: string, one: (card: Card) => void): void {
  const work = () => {
    for (const { id } of cards) {
      const card = store.card(id);
      if (card) one(card);
    }
  };
  if (cards.length > 1) store.commands.together(text, work);
  else work();
}

const named = (cards: readonly Card[]) => ({ count: cards.length });

export function moveAll(store: BoardStore, cards: readonly Card[], status: string): void {
  const column = store.columns.find(({ key }) => key === status)?.name ?? '';
  forEach(store, cards, t('bulk.moved', { ...named(cards), column }), (card) => {
    if (card.status !== status) store.commands.move(card.id, { status });
  });
}

/** Each to the column before or behind its own. */
export function shiftAll(store: BoardStore, cards: readonly Card[], step: 1 | -1): void {
  forEach(store, cards, t('bulk.shifted', named(cards)), (card) => {
    const index = store.columns.findIndex(({ key }) => key === card.status);
    const target = store.columns[index + step];
    if (index >= 0 && target) store.commands.move(card.id, { status: target.key });
  });
}

/** `fields` says what changes on each card, or null where nothing does. */
export function patchAll(store: BoardStore, cards: readonly Card[], fields: (card: Card) => TaskPatch | null): void {
  forEach(store, cards, t('bulk.changed', named(cards)), (card) => {
    const patch = fields(card);
    if (patch) store.commands.patch(card.id, patch);
  });
}

/** Puts it on every card; off every card, where all have it. */
export function toggleAll(
  store: BoardStore,
  cards: readonly Card[],
  field: 'label_ids' | 'assignee_ids',
  id: Id,
): void {
  const everywhere = cards.every((card) => card[field].includes(id));
  patchAll(store, cards, (card) => {
    if (everywhere) return { [field]: card[field].filter((other) => other !== id) };
    return card[field].includes(id) ? null : { [field]: [...card[field], id] };
  });
}

export function archiveAll(store: BoardStore, cards: readonly Card[]): void {
  forEach(store, cards, t('bulk.archived', named(cards)), (card) => store.commands.archive(card));
}

export function deleteAll(store: BoardStore, cards: readonly Card[]): void {
  forEach(store, cards, t('bulk.deleted', named(cards)), (card) => store.commands.delete(card));
}
