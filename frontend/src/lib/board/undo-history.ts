/**
 * What this person did on one board since it was opened, and the way back: Ctrl+Z, Z and the "Undo" of the message
 * that tells what happened. undo.ts decides what an undo means; this sends it and says how it went.
 */

import { opOf } from '../local/outbox';
import { toasts } from '../page/announcer.svelte';
import { attempt } from '../server/attempt';
import type { BoardEvent, Card, Id } from '../types';
import { t } from '../words/i18n.svelte';
import type { BoardStore } from './board.svelte';
import { type Change, isTemporary, temporaryId } from './changes';
import { type Call, type Deed, type Entry, LeftAlone, type Plan, plan, reverse, UndoStack } from './undo';

/** A change without what every change has. */
export type Body<C = Change> = C extends Change ? Omit<C, 'op_id' | 'at'> : never;

export class UndoHistory {
  readonly #store: BoardStore;
  readonly #send: (body: Body) => string;
  readonly #stack = new UndoStack();
  /** Ids the server gave to cards made here: op id → task. */
  readonly #made = new Map<string, Id>();
  /** Cards as they were when they left the board, to be drawn again before the server has answered. */
  readonly #left = new Map<Id, Card>();
  /** One message at a time on the whole page. */
  static #toast = 0;

  constructor(store: BoardStore, send: (body: Body) => string) {
    this.#store = store;
    this.#send = send;
    store.follow((event) => event && this.#learn(event));
  }

  /** Remembers a deed; `tell` shows what happened, with a button that takes it back. */
  record(entry: Entry, { tell = false } = {}): void {
    this.#stack.push(entry);
    if (tell) {
      this.#say(entry.text, { label: t('undo.undo'), run: () => this.#stack.isLast(entry) && this.undo() });
    }
  }

  /** To be called before a card leaves the board. */
  keep(card: Card): void {
    this.#left.set(card.id, card);
  }

  forget(op: string): void {
    this.#stack.forget(op);
  }

  undo(): void {
    const entry = this.#stack.undo();
    const again = { label: t('undo.redo'), run: () => this.redo() };
    if (!entry) this.#say(t('undo.nothing'));
    else void this.#perform(entry.deeds.map(reverse).reverse(), t('undo.undone', { what: entry.text }), again);
  }

  redo(): void {
    const entry = this.#stack.redo();
    const back = { label: t('undo.undo'), run: () => this.undo() };
    if (!entry) this.#say(t('undo.nothing_redo'));
    else void this.#perform(entry.deeds, t('undo.redone', { what: entry.text }), back);
  }

  async #perform(
    deeds: readonly Deed[],
    text: string,
    action: { label: string; run: () => void },
    force = false,
  ): Promise<void> {
    const blocked: Deed[] = [];
    const changed: string[] = [];
    const gone: string[] = [];
    for (const deed of deeds.map((one) => this.#current(one))) {
      const board = this.#store.shown;
      const next: Plan = board ? plan(deed, board, { force }) : { kind: 'nothing' };
      if (next.kind === 'call') {
        const left = await call(next.run, force);
        if (left === 'failed') return;
        if (left?.gone) gone.push(left.what);
        else if (left) {
          blocked.push(deed);
          changed.push(left.what);
        }
      } else if (next.kind === 'blocked') {
        blocked.push(deed);
        changed.push(this.#name(next.id));
      } else if (next.kind === 'gone') gone.push(this.#name(next.id));
      else this.#make(next);
    }
    if (blocked.length > 0) {
      const anyway = { label: t('undo.anyway'), run: () => void this.#perform(blocked, text, action, true) };
      this.#say(t('undo.blocked', { names: changed.join(', ') }), anyway);
    } else if (gone.length > 0) this.#say(t('undo.gone', { names: gone.join(', ') }));
    else this.#say(text, action);
  }

  #make(next: Plan): void {
    switch (next.kind) {
      case 'move':
        this.#send({ kind: 'move', task_id: next.id, to: next.to });
        break;
      case 'patch':
        this.#send({ kind: 'patch', task_id: next.id, fields: next.fields, seen: next.seen });
        break;
      case 'create':
      case 'unarchive': {
        const card = this.#left.get(next.id);
        this.#send({ kind: next.kind === 'create' ? 'restore' : 'unarchive', task_id: next.id, ...(card && { card }) });
        break;
      }
      case 'delete':
      case 'archive': {
        const card = this.#store.card(next.id);
        if (card) this.keep(card);
        this.#send({ kind: next.kind, task_id: next.id });
        break;
      }
    }
  }

  /** The deed with the id its card has now: one made here begins with a temporary one. */
  #current<D extends Deed>(deed: D): D {
    return 'id' in deed && isTemporary(deed.id) ? { ...deed, id: this.#realId(deed.id) } : deed;
  }

  #realId(id: Id): Id {
    const answered = this.#store.pending.find(({ change }) => temporaryId(change.op_id) === id)?.answer?.id;
    return answered ?? this.#made.get(id.slice(temporaryId('').length)) ?? id;
  }

  #name(id: Id): string {
    const card = this.#store.card(id) ?? this.#left.get(id);
    return card?.key || card?.title || '';
  }

  #learn({ type, op_id, data, user_id }: BoardEvent): void {
    const op = opOf(op_id);
    if (op && type === 'task_created' && user_id === this.#store.user) this.#made.set(op, data.task_id as Id);
  }

  /** One message at a time: a newer deed makes the older one's button pointless. */
  #say(text: string, action?: { label: string; run: () => void }): void {
    toasts.dismiss(UndoHistory.#toast);
    UndoHistory.#toast = toasts.show({ tone: 'info', text, ...(action && { action }) });
  }
}

/** Makes the call, and tells where it failed. Resolves to what it left alone. */
async function call(run: Call, force: boolean): Promise<LeftAlone | 'failed' | undefined> {
  let left: LeftAlone | undefined;
  const done = await attempt(() =>
    run(force).catch((error: unknown) => {
      if (!(error instanceof LeftAlone)) throw error;
      left = error;
    }),
  );
  return done ? left : 'failed';
}
