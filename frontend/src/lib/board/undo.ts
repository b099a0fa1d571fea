/**
 * Taking back what one did, as data: pure functions from a deed and the board as it is now to the change that undoes it.
 *
 * An undo is an ordinary change, made beside everybody else's. A card goes back between its old neighbours, or next to
 * the nearest that is left; a field goes back only while it still holds what was put there, so nobody's later edit is
 * overwritten unless the person says so; of a list only one's own additions and removals are taken back.
 */

import type { Board, Card, Id, Placement, TaskPatch } from '../types';
import { mergeChecklists } from './merge';

/** Neighbours remembered on each side; with all of them gone, the end of the column is as good. */
const NEIGHBOURS = 50;
/** Deeds remembered; nobody goes back further step by step. */
const KEPT = 100;

/** Where a card stands: its column, and who stands above and below it, the nearest first. */
export interface Spot {
  status: string;
  above: readonly Id[];
  below: readonly Id[];
}

export type Deed =
  | { kind: 'create' | 'delete' | 'archive' | 'unarchive'; id: Id }
  | { kind: 'move'; id: Id; from: Spot; to: Spot }
  /** `seen` is the version the fields were changed at; it guards a description, which no card shows. */
  | { kind: 'patch'; id: Id; before: TaskPatch; after: TaskPatch; seen: number | undefined }
  /** What goes to the server by itself: columns, labels, comments. */
  | { kind: 'call'; forth: Call; back: Call };

/** `force` overrides what others did since. Rejects with `LeftAlone` where it did not override it. */
export type Call = (force: boolean) => Promise<unknown>;

/** Something was not taken back, or not wholly: somebody else has changed it since, or it is there no longer. */
export class LeftAlone extends Error {
  readonly what: string;
  readonly gone: boolean;

  constructor(what: string, { gone = false } = {}) {
    super(`${what} was ${gone ? 'removed' : 'changed'} by somebody else`);
    this.name = 'LeftAlone';
    this.what = what;
    this.gone = gone;
  }
}

export interface Entry {
  /** What was done, in words. */
  text: string;
  deeds: readonly Deed[];
  /** The requests that did it; an entry whose request was refused is no deed. */
  ops: readonly string[];
}

export type Plan =
  | { kind: 'create' | 'delete' | 'archive' | 'unarchive'; id: Id }
  | { kind: 'move'; id: Id; to: Placement }
  | { kind: 'patch'; id: Id; fields: TaskPatch; seen: number | undefined }
  | { kind: 'call'; run: Call }
  /** It is so already. */
  | { kind: 'nothing' }
  /** The card, or its column, is there no longer. */
  | { kind: 'gone'; id: Id }
  /** Somebody else has changed the same thing since. */
  | { kind: 'blocked'; id: Id };

const OPPOSITE = { create: 'delete', delete: 'create', archive: 'unarchive', unarchive: 'archive' } as const;

/** The deed that takes this one back. */
export function reverse(deed: Deed): Deed {
  switch (deed.kind) {
    case 'move':
      return { ...deed, from: deed.to, to: deed.from };
    case 'patch':
      return { ...deed, before: deed.after, after: deed.before };
    case 'call':
      return { ...deed, forth: deed.back, back: deed.forth };
    default:
      return { ...deed, kind: OPPOSITE[deed.kind] };
  }
}

/** What to do to repeat a deed on the board as it is. `force` overrides what others did since. */
export function plan(deed: Deed, board: Board, { force = false } = {}): Plan {
  if (deed.kind === 'call') return { kind: 'call', run: deed.forth };
  const card = board.tasks.find(({ id }) => id === deed.id);
  const isThere = card !== undefined;
  if (deed.kind === 'create' || deed.kind === 'unarchive') return isThere ? { kind: 'nothing' } : { ...deed };
  if (!card) return { kind: deed.kind === 'delete' ? 'nothing' : 'gone', id: deed.id };
  if (deed.kind === 'move') return planMove(deed, card, board, force);
  return deed.kind === 'patch' ? planPatch(deed, card, board, force) : { ...deed };
}

function planMove(deed: Deed & { kind: 'move' }, card: Card, board: Board, force: boolean): Plan {
  if (!board.columns.some(({ key }) => key === deed.to.status)) return { kind: 'gone', id: card.id };
  if (card.status !== deed.from.status && !force) return { kind: 'blocked', id: card.id };
  const ids = board.tasks
    .filter((other) => other.status === deed.to.status && other.id !== card.id)
    .map(({ id }) => id);
  return { kind: 'move', id: card.id, to: placementIn(deed.to, ids) };
}

function planPatch(deed: Deed & { kind: 'patch' }, card: Card, board: Board, force: boolean): Plan {
  const fields: TaskPatch = {};
  for (const name of Object.keys(deed.after) as Array<keyof TaskPatch>) {
    const value = fieldNow(name, deed, card, board, force);
    if (value === BLOCKED) return { kind: 'blocked', id: card.id };
    if (value !== UNCHANGED) Object.assign(fields, { [name]: value });
  }
  if (Object.keys(fields).length === 0) return { kind: 'nothing' };
  const hidden = 'description' in fields && !force;
  return { kind: 'patch', id: card.id, fields, seen: hidden ? deed.seen : card.version || undefined };
}

const BLOCKED = Symbol('somebody changed it since');
const UNCHANGED = Symbol('it is so already');

function fieldNow(name: keyof TaskPatch, deed: Deed & { kind: 'patch' }, card: Card, board: Board, force: boolean) {
  const { before, after } = deed;
  if (name === 'description') return after.description;
  if (name === 'label_ids' || name === 'assignee_ids') {
    const known = name === 'label_ids' ? board.labels.map(({ id }) => id) : board.members.map((one) => one.user_id);
    const list = changeList(card[name], before[name] ?? [], after[name] ?? []).filter((id) => known.includes(id));
    return same(list, card[name]) ? UNCHANGED : list;
  }
  if (name === 'checklist') {
    const base = identified(before.checklist ?? [], after.checklist ?? [], card);
    const list = mergeChecklists(base, identified(after.checklist ?? [], base, card), card.checklist);
    return same(list, card.checklist) ? UNCHANGED : list;
  }
  if (card[name] === after[name]) return UNCHANGED;
  return card[name] === before[name] || force ? after[name] : BLOCKED;
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/** `now` with what lies between `before` and `after` done to it. */
export function changeList(now: readonly Id[], before: readonly Id[], after: readonly Id[]): Id[] {
  const removed = before.filter((id) => !after.includes(id));
  const added = after.filter((id) => !before.includes(id) && !now.includes(id));
  return [...now.filter((id) => !removed.includes(id)), ...added];
}

type Items = NonNullable<TaskPatch['checklist']>;

/** Items that had no id when they were written have one by now: it is the one with their text that was not there. */
function identified(items: Items, others: Items, card: Card): Items {
  const taken = new Set([...items, ...others].map(({ id }) => id));
  return items.map((item) => {
    if (item.id !== undefined && !item.id.startsWith('new:')) return item;
    const real = card.checklist.find(({ id, text }) => text === item.text && !taken.has(id));
    return real ? { ...item, id: real.id } : item;
  });
}

/** Where a card stands among the ids of its column. */
export function spotOf(status: string, ids: readonly Id[], id: Id): Spot {
  const index = ids.indexOf(id);
  return {
    status,
    above: ids.slice(Math.max(0, index - NEIGHBOURS), index).reverse(),
    below: ids.slice(index + 1, index + 1 + NEIGHBOURS),
  };
}

/** The place between the old neighbours, else next to the nearest one left. `ids` is without the card itself. */
export function placementIn({ status, above, below }: Spot, ids: readonly Id[]): Placement {
  const here = new Set(ids);
  const over = above.findIndex((id) => here.has(id));
  const under = below.findIndex((id) => here.has(id));
  if (under >= 0 && (over < 0 || under <= over)) return { status, before_id: below[under] as Id };
  if (over >= 0) return { status, after_id: above[over] as Id };
  const first = above.length === 0 ? ids[0] : undefined;
  return first === undefined ? { status } : { status, before_id: first };
}

/** What was done and what was taken back, newest last. */
export class UndoStack {
  #done: Entry[] = [];
  #undone: Entry[] = [];

  push(entry: Entry): void {
    this.#done = [...this.#done.slice(1 - KEPT), entry];
    this.#undone = [];
  }

  /** The entry to take back now; it can be repeated afterwards. */
  undo(): Entry | undefined {
    const entry = this.#done.pop();
    if (entry) this.#undone.push(entry);
    return entry;
  }

  redo(): Entry | undefined {
    const entry = this.#undone.pop();
    if (entry) this.#done.push(entry);
    return entry;
  }

  /** Whether this entry is the one an undo would take back. */
  isLast = (entry: Entry): boolean => this.#done.at(-1) === entry;

  /** The server refused the request, so there is nothing to take back. */
  forget(op: string): void {
    const others = (entry: Entry) => !entry.ops.includes(op) || entry.ops.length > 1;
    this.#done = this.#done.filter(others);
    this.#undone = this.#undone.filter(others);
  }
}
