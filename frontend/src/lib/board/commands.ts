/** What a person can do with the cards of a board. The pointer, the keyboard and the menus all end here. */

import { newId } from '../ids';
import { announce } from '../page/announcer.svelte';
import type { Card, Comment, Id, Placement, TaskPatch } from '../types';
import { t } from '../words/i18n.svelte';
import type { BoardStore } from './board.svelte';
import { type Change, type NewCard, temporaryId } from './changes';
import { ListCommands } from './list-commands';
import { gapBefore, placementIn } from './placing';
import { type Deed, type Spot, spotOf } from './undo';
import { type Body, UndoHistory } from './undo-history';

export type Direction = 'up' | 'down' | 'left' | 'right' | 'top' | 'bottom';

interface Done {
  deed: Deed;
  op: string;
}

export class Commands {
  readonly history: UndoHistory;
  /** The cards of a column that steps go by; a screen that hides some gives its own. */
  lists: (status: string) => readonly Card[];
  readonly parts: ListCommands;
  readonly #store: BoardStore;
  #last = 0;
  /** Deeds that will be taken back together. */
  #together: Done[] | null = null;

  constructor(store: BoardStore) {
    this.#store = store;
    this.lists = (status) => this.#column(status);
    this.history = new UndoHistory(store, (body) => this.#add(body));
    this.parts = new ListCommands(store, (text, forth, back) =>
      this.#done({ kind: 'call', forth, back }, '', text, true),
    );
  }

  create(task: NewCard): void {
    const op = this.#add({ kind: 'create', task });
    this.#done({ kind: 'create', id: temporaryId(op) }, op, t('undo.created', { what: task.title }));
  }

  /** Puts a card where it is told, and says so. */
  move(id: Id, to: Placement): void {
    const from = this.#spot(id);
    const op = this.#add({ kind: 'move', task_id: id, to });
    const now = this.#spot(id);
    if (from && now) {
      const crossed = from.status !== now.status;
      const text = crossed ? 'undo.moved' : 'undo.reordered';
      const what = t(text, { key: this.#name(id), column: this.#columnName(now.status) });
      this.#done({ kind: 'move', id, from, to: now }, op, what, crossed);
    }
    this.#announceMove(id);
  }

  /** Puts a card at an index of a column, counted without the card itself. */
  moveTo(id: Id, status: string, index: number): void {
    const moving = new Set([id]);
    const shown = this.lists(status).filter((card) => card.id !== id);
    const gap = gapBefore(status, shown, shown[index]?.id ?? null, moving);
    this.move(id, placementIn(gap, this.#column(status), moving));
  }

  /** One step in a direction; sideways to the same height of the next column. Says no at the edge by doing nothing. */
  step(card: Card, direction: Direction): void {
    const columns = this.#store.shown?.columns ?? [];
    const column = columns.findIndex(({ key }) => key === card.status);
    const shown = this.lists(card.status);
    const index = shown.findIndex(({ id }) => id === card.id);
    const last = shown.length - 1;
    if (direction === 'left' || direction === 'right') {
      const target = columns[column + (direction === 'left' ? -1 : 1)];
      if (target) this.moveTo(card.id, target.key, index);
      return;
    }
    const to = { up: index - 1, down: index + 1, top: 0, bottom: last }[direction];
    if (to >= 0 && to <= last && to !== index) this.moveTo(card.id, card.status, to);
  }

  /**
   * Changes fields of a task.
   *
   * @param seen the version the person was looking at
   * @param before what the fields held, where the card does not show it
   */
  patch(id: Id, fields: TaskPatch, seen = this.#store.card(id)?.version, before: TaskPatch = {}): void {
    const card = this.#store.card(id);
    const names = Object.keys(fields) as Array<keyof TaskPatch>;
    const held = Object.fromEntries(
      names.flatMap((name) => (name in before || !card || name === 'description' ? [] : [[name, card[name]]])),
    );
    const op = this.#add({ kind: 'patch', task_id: id, fields, seen: seen || undefined });
    if (names.some((name) => !(name in before) && !(name in held))) return;
    const deed: Deed = { kind: 'patch', id, before: { ...held, ...before }, after: fields, seen: seen || undefined };
    const what = names.map((name) => t(`task.${name}`)).join(', ');
    this.#done(deed, op, t('undo.patched', { key: this.#name(id), what }));
  }

  delete(card: Card): void {
    this.history.keep(card);
    const op = this.#add({ kind: 'delete', task_id: card.id });
    this.#done({ kind: 'delete', id: card.id }, op, t('announce.deleted', { key: card.key || card.title }), true);
    announce(t('announce.deleted', { key: card.key || card.title }));
  }

  /** Takes a card off the board for good, without deleting it. */
  archive(card: Card): void {
    this.history.keep(card);
    const op = this.#add({ kind: 'archive', task_id: card.id });
    this.#done({ kind: 'archive', id: card.id }, op, t('undo.archived', { key: card.key || card.title }), true);
  }

  comment(task_id: Id, body: string): void {
    const write = () => this.#add({ kind: 'comment', task_id, body });
    const about = () => ({ task_id, comment_id: temporaryId(made) });
    let made = write();
    let last = made;
    const back = async () => {
      if (!this.#store.own.cancel(last)) last = this.#add({ kind: 'comment-delete', ...about() });
      else if (last === made) made = '';
    };
    const forth = async () => {
      if (made === '') made = last = write();
      else if (!this.#store.own.cancel(last)) last = this.#add({ kind: 'comment-restore', ...about() });
    };
    this.#done({ kind: 'call', forth, back }, made, t('undo.commented', { key: this.#name(task_id) }));
  }

  editComment({ id, task_id, body: before }: Comment, body: string): void {
    const write = (text: string) => this.#add({ kind: 'comment-edit', task_id, comment_id: id, body: text });
    const op = write(body);
    const [forth, back] = [async () => write(body), async () => write(before)];
    this.#done({ kind: 'call', forth, back }, op, t('undo.comment_changed'), true);
  }

  deleteComment(comment: Comment): void {
    const about = { task_id: comment.task_id, comment_id: comment.id };
    let last = this.#add({ kind: 'comment-delete', ...about });
    const instead = (body: Body) => async () => {
      if (!this.#store.own.cancel(last)) last = this.#add(body);
    };
    const forth = instead({ kind: 'comment-delete', ...about });
    const back = instead({ kind: 'comment-restore', ...about, comment });
    this.#done({ kind: 'call', forth, back }, last, t('undo.comment_deleted'), true);
  }

  /** Everything `work` does is one step to undo, told in one message. */
  together(text: string, work: () => void): void {
    const all: Done[] = [];
    this.#together = all;
    try {
      work();
    } finally {
      this.#together = null;
    }
    if (all.length === 0) return;
    this.history.record({ text, deeds: all.map(({ deed }) => deed), ops: all.map(({ op }) => op) }, { tell: true });
    announce(text);
  }

  #done(deed: Deed, op: string, text: string, tell = false): void {
    if (this.#together) this.#together.push({ deed, op });
    else this.history.record({ text, deeds: [deed], ops: [op] }, { tell });
  }

  #add(body: Body): string {
    const op_id = newId();
    // Never twice the same moment, so that changes read back from the device keep their order.
    this.#last = Math.max(Date.now(), this.#last + 1);
    this.#store.change({ ...body, op_id, at: this.#last } as Change);
    return op_id;
  }

  #column(status: string): Card[] {
    return this.#store.cards.get(status) ?? [];
  }

  #name(id: Id): string {
    const card = this.#store.card(id);
    return card?.key || card?.title || '';
  }

  #columnName = (status: string) => this.#store.columns.find(({ key }) => key === status)?.name ?? '';

  #spot(id: Id): Spot | null {
    const status = this.#store.card(id)?.status;
    if (status === undefined) return null;
    const ids = this.#column(status).map((card) => card.id);
    return spotOf(status, ids, id);
  }

  #announceMove(id: Id): void {
    const card = this.#store.card(id);
    const column = this.#store.shown?.columns.find(({ key }) => key === card?.status);
    if (!card || !column || this.#together) return;
    const cards = this.#column(card.status);
    announce(
      t('announce.moved', {
        key: card.key || card.title,
        column: column.name,
        position: cards.findIndex((other) => other.id === id) + 1,
        count: cards.length,
      }),
    );
  }
}
