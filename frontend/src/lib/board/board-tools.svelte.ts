/** What a person holds while working on a board: the cards marked, the picker that is open, the card peeked at. */

import type { Card, Id } from '../types';
import type { BoardStore } from './board.svelte';
import { Selection } from './selection.svelte';

export type PickerKind = 'assignees' | 'labels' | 'priority' | 'due' | 'column' | 'comment';

export interface OpenPicker {
  kind: PickerKind;
  ids: readonly Id[];
  /** What it stands beside, in the window. */
  beside: DOMRect;
}

export class BoardTools {
  readonly selection: Selection;
  picker = $state.raw<OpenPicker | null>(null);
  /** The task beside the board follows the focus among the cards. */
  peeking = $state(false);
  /** The card that had the focus last: where the keys begin again. */
  last: Id | null = null;

  constructor(store: BoardStore) {
    this.selection = new Selection(store);
  }

  pick(kind: PickerKind, cards: readonly Card[]): void {
    const first = cards[0];
    if (first) this.picker = { kind, ids: cards.map(({ id }) => id), beside: placeOf(first.id) };
  }
}

/** Where the selection bar or the card is; the middle of the window for a card that is not drawn. */
function placeOf(id: Id): DOMRect {
  const bar = document.querySelector('[data-selection-bar]');
  const element = bar ?? document.querySelector(`[data-card="${CSS.escape(id)}"]`);
  return element?.getBoundingClientRect() ?? new DOMRect(innerWidth / 2 - 140, innerHeight / 4, 280, 0);
}
