/**
 * A person's own changes to cards, as plain data: drawn over the board at once, sent by the outbox, and kept on
 * this device until the server has answered. Pure functions only.
 */

import type { Board, Card, Comment, Id, Placement, Priority, TaskPatch } from '../types';
import { byPosition, insertSorted } from './reducer';

export type NewCard = {
  title: string;
  status: string;
  priority?: Priority;
  label_ids?: Id[];
  assignee_ids?: Id[];
  due?: string;
  description?: string;
  checklist?: TaskPatch['checklist'];
  before_id?: Id;
  after_id?: Id;
};

interface Base {
  /** Idempotency-Key of the request, and the name by which the event comes back. */
  op_id: string;
  /** When it was made, milliseconds since 1970. */
  at: number;
}

export type Change = Base &
  (
    | { kind: 'create'; task: NewCard }
    | { kind: 'move'; task_id: Id; to: Placement }
    | { kind: 'patch'; task_id: Id; fields: TaskPatch; seen: number | undefined }
    | { kind: 'delete' | 'archive'; task_id: Id }
    /** `card` is the card as it was, drawn until the server has answered. */
    | { kind: 'restore' | 'unarchive'; task_id: Id; card?: Card }
    | { kind: 'comment'; task_id: Id; body: string }
    | { kind: 'comment-edit'; task_id: Id; comment_id: Id; body: string }
    | { kind: 'comment-delete'; task_id: Id; comment_id: Id }
    /** `comment` is the comment as it was, drawn until the server has answered. */
    | { kind: 'comment-restore'; task_id: Id; comment_id: Id; comment?: Comment }
  );

/** A change on its way. `answer` is the card as the server has it, once it has said yes. */
export interface Pending {
  change: Change;
  answer?: Card | undefined;
  accepted?: boolean;
}

/** The id of a card or a comment that has none yet. */
export const temporaryId = (opId: string): Id => `new:${opId}`;
export const isTemporary = (id: Id): boolean => id.startsWith('new:');

/** The board as its owner sees it: what the log says, with their own changes on top. */
export function overlay(board: Board, pending: readonly Pending[], user: Id | null): Board {
  return pending.reduce((shown, item) => overlayOne(shown, item, user), board);
}

function overlayOne(board: Board, { change, answer }: Pending, user: Id | null): Board {
  if (answer && !takesAway(change)) return confirmed(board, answer);
  switch (change.kind) {
    case 'create':
      return { ...board, tasks: place(board.tasks, draftCard(board, change, user), change.task) };
    case 'move': {
      const card = find(board, change.task_id);
      if (!card) return board;
      const rest = board.tasks.filter((other) => other.id !== card.id);
      return { ...board, tasks: place(rest, { ...card, status: change.to.status }, change.to) };
    }
    case 'patch': {
      const { description: _description, checklist, ...fields } = change.fields;
      return mapCard(board, change.task_id, (card) => ({
        ...card,
        ...fields,
        ...(checklist && { checklist: checklist.map((item, index) => ({ id: `new:${index}`, ...item })) }),
      }));
    }
    case 'restore':
    case 'unarchive':
      return change.card && !find(board, change.task_id) ? confirmed(board, change.card) : board;
    case 'delete':
    case 'archive':
      return { ...board, tasks: board.tasks.filter((card) => card.id !== change.task_id) };
    case 'comment':
    case 'comment-restore':
      return mapCard(board, change.task_id, (card) => ({ ...card, comment_count: card.comment_count + 1 }));
    case 'comment-delete':
      return mapCard(board, change.task_id, (card) => ({ ...card, comment_count: card.comment_count - 1 }));
    case 'comment-edit':
      return board;
  }
}

const takesAway = ({ kind }: Change) => kind === 'delete' || kind === 'archive';

/** The server's own card, in the place it gave it. */
function confirmed(board: Board, answer: Card): Board {
  const rest = board.tasks.filter((card) => card.id !== answer.id);
  return { ...board, tasks: answer.archived_at ? rest : insertSorted(rest, answer, byPosition) };
}

/** Whether the board itself now shows the change, so that nothing has to be drawn over it. */
export function isSettled(board: Board, { change, answer, accepted }: Pending): boolean {
  if (takesAway(change)) return accepted === true && 'task_id' in change && !find(board, change.task_id);
  if (answer) {
    const known = find(board, answer.id);
    return known ? known.version >= answer.version : answer.archived_at !== null;
  }
  return false;
}

/** Whether a change is made to what that change makes, and so cannot be without it. */
export const isAbout = (change: Change, maker: Change): boolean => names(change).includes(temporaryId(maker.op_id));

/** Whether a change is made to something that has no id yet. */
export const isAhead = (change: Change): boolean => names(change).some(isTemporary);

const names = (change: Change): Id[] =>
  'comment_id' in change ? [change.task_id, change.comment_id] : 'task_id' in change ? [change.task_id] : [];

/** The change with a temporary id replaced by the real one. */
export function renamed(change: Change, from: Id, to: Id): Change {
  const swap = <T extends { before_id?: Id; after_id?: Id }>(where: T): T => ({
    ...where,
    ...(where.before_id === from && { before_id: to }),
    ...(where.after_id === from && { after_id: to }),
  });
  if (change.kind === 'create') return { ...change, task: swap(change.task) };
  const task_id = change.task_id === from ? to : change.task_id;
  if (change.kind === 'move') return { ...change, task_id, to: swap(change.to) };
  if ('comment_id' in change && change.comment_id === from) return { ...change, task_id, comment_id: to };
  return { ...change, task_id };
}

const find = (board: Board, id: Id) => board.tasks.find((card) => card.id === id);

function mapCard(board: Board, id: Id, next: (card: Card) => Card): Board {
  return { ...board, tasks: board.tasks.map((card) => (card.id === id ? next(card) : card)) };
}

/** Next to the card named, else to the end of the column: the last of the list is also the last of its column. */
function place(rest: readonly Card[], card: Card, to: { before_id?: Id; after_id?: Id }): Card[] {
  const anchor = rest.findIndex((other) => other.id === (to.before_id ?? to.after_id));
  if (anchor < 0) return [...rest, card];
  const index = to.before_id === undefined ? anchor + 1 : anchor;
  return [...rest.slice(0, index), card, ...rest.slice(index)];
}

function draftCard(board: Board, { op_id, at, task }: Change & { kind: 'create' }, user: Id | null): Card {
  const now = new Date(at).toISOString();
  return {
    id: temporaryId(op_id),
    project_id: board.project.id,
    number: 0,
    key: '',
    title: task.title,
    status: task.status,
    priority: task.priority ?? 'none',
    label_ids: task.label_ids ?? [],
    assignee_ids: task.assignee_ids ?? [],
    due: task.due ?? null,
    checklist: (task.checklist ?? []).map((item, index) => ({ id: `new:${index}`, ...item })),
    position: '',
    version: 0,
    comment_count: 0,
    created_by: user,
    created_at: now,
    updated_at: now,
    deleted_at: null,
    archived_at: null,
  };
}
