/** What the calendar's parts share: what is dragged, which menu is open, and the one way a card gets another day. */
import { tick } from 'svelte';
import type { BoardView } from '../../lib/board/board-view.svelte';
import { focusCard } from '../../lib/board/keys';
import { announce } from '../../lib/page/announcer.svelte';
import { fullDay } from '../../lib/time/calendar';
import { dueDay, moveDue } from '../../lib/time/dates';
import type { Card, Id } from '../../lib/types';
import { i18n, t } from '../../lib/words/i18n.svelte';

/** Where a card can be dropped: a day, or among those without one. */
export type Target = string | 'unscheduled';

export class CalendarView {
  readonly board: BoardView;
  /** The card in somebody's hand. */
  dragged = $state<Id | null>(null);
  over = $state<Target | null>(null);
  menu = $state.raw<{ id: Id; anchor: HTMLElement } | null>(null);

  readonly #show: (day: string) => void;
  #release = () => {};

  /** @param show turns the calendar to a day */
  constructor(board: BoardView, show: (day: string) => void) {
    this.board = board;
    this.#show = show;
  }

  get timeZone(): string {
    return this.board.timeZone;
  }

  get canEdit(): boolean {
    return this.board.canEdit;
  }

  /** Gives a card another day, or none; says so, and keeps the focus on it. */
  readonly setDue = (id: Id, due: string | null): void => {
    const card = this.board.store.card(id);
    if (!card || card.due === due) return;
    this.board.store.commands.patch(id, { due });
    const key = card.key || card.title;
    if (due === null) announce(t('calendar.unscheduled_now', { key }));
    else {
      const day = dueDay(due, this.timeZone);
      announce(t('calendar.moved', { key, day: fullDay(day, i18n.language) }));
      this.#show(day);
    }
    void tick().then(() => focusCard(id));
  };

  moveBy(card: Card, days: string): void {
    this.setDue(card.id, moveDue(card.due, days, this.timeZone));
  }

  /** While a card is in somebody's hand, changes of others wait. */
  lift(id: Id, event: DragEvent): void {
    if (event.dataTransfer) {
      event.dataTransfer.effectAllowed = 'move';
      event.dataTransfer.setData('text/plain', id);
    }
    this.#release();
    this.#release = this.board.store.hold();
    this.dragged = id;
  }

  drag(target: Target, event: DragEvent): void {
    if (this.dragged === null) return;
    event.preventDefault();
    this.over = target;
  }

  drop(target: Target, event: DragEvent): void {
    event.preventDefault();
    const id = this.dragged;
    this.letGo();
    const card = id === null ? undefined : this.board.store.card(id);
    if (!card) return;
    this.setDue(card.id, target === 'unscheduled' ? null : moveDue(card.due, target, this.timeZone));
  }

  letGo(): void {
    this.dragged = null;
    this.over = null;
    this.#release();
    this.#release = () => {};
  }
}
