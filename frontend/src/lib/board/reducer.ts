/**
 * The board as a function of its log: `(board, event) → board`.
 *
 * Pure, and exactly-once: an event is applied only when its `seq` follows the board's; anything else
 * leaves the board as it is, the same object. Unchanged parts keep their identity, so a screen redraws
 * only what an event touched. The server's tests run the same examples, tests/fixtures/protocol/reducer.json.
 */
import type { Board, BoardEvent, Card, Column, Label, Member, Project } from '../types';

type Data = Record<string, unknown>;
type Apply = (board: Board, data: Data) => Partial<Board>;

/** Plain code-point order of (position, id), the order of cards and columns. */
export function byPosition(a: { position: string; id: string }, b: { position: string; id: string }): number {
  if (a.position !== b.position) return a.position < b.position ? -1 : 1;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
const byUserId = (a: Member, b: Member) => (a.user_id < b.user_id ? -1 : a.user_id > b.user_id ? 1 : 0);

/** The sorted list with `item` in its place, in front of the first that sorts behind it. */
export function insertSorted<T>(list: readonly T[], item: T, compare: (a: T, b: T) => number): T[] {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(item, list[middle] as T) < 0) high = middle;
    else low = middle + 1;
  }
  return list.toSpliced(low, 0, item);
}

/** The sorted list with `item` in its place, instead of the one with its id. */
function put<T extends { id: string }>(list: readonly T[], item: T, compare: (a: T, b: T) => number): T[] {
  const others = list.filter((other) => other.id !== item.id);
  return insertSorted(others, item, compare);
}

/** The object an event carries: its own id back under `id`, without the names of what changed. */
function unflatten<T>(data: Data, idName: string): T {
  const { changes: _changes, [idName]: id, ...rest } = data;
  return { id, ...rest } as T;
}

/** The card of a task event, or of a task as REST answers it. */
export function toCard(data: object): Card {
  const { description: _description, task_id, changes: _changes, ...rest } = data as Data;
  return (task_id === undefined ? rest : { id: task_id, ...rest }) as unknown as Card;
}

/** Every card without `id` in one of its lists of ids; untouched cards stay the same objects. */
function dropReference(tasks: readonly Card[], field: 'label_ids' | 'assignee_ids', id: string): Card[] {
  return tasks.map((card) =>
    card[field].includes(id) ? { ...card, [field]: card[field].filter((other) => other !== id) } : card,
  );
}

const removeTask: Apply = (board, data) => ({ tasks: board.tasks.filter((card) => card.id !== data.task_id) });

/** An archived card can change, too; that does not bring it onto the board. */
const putTask: Apply = (board, data) =>
  data.archived_at ? removeTask(board, data) : { tasks: put(board.tasks, toCard(data), byPosition) };

const countComments: Apply = (board, data) => ({
  tasks: board.tasks.map((card) =>
    card.id === data.task_id ? { ...card, comment_count: data.comment_count as number } : card,
  ),
});

const putMember: Apply = (board, data) => {
  const { changes: _changes, ...member } = data;
  const others = board.members.filter((other) => other.user_id !== member.user_id);
  return { members: insertSorted(others, member as unknown as Member, byUserId) };
};

const putColumn: Apply = (board, data) => ({
  columns: put(board.columns, unflatten<Column>(data, 'column_id'), byPosition),
});

const putLabel: Apply = (board, data) => ({ labels: put(board.labels, unflatten<Label>(data, 'label_id'), byId) });

const RULES: Readonly<Record<string, Apply>> = {
  task_created: putTask,
  task_updated: putTask,
  task_moved: putTask,
  task_assigned: putTask,
  task_restored: putTask,
  task_unarchived: putTask,
  task_archived: removeTask,
  task_deleted: removeTask,
  comment_added: countComments,
  comment_updated: countComments,
  comment_deleted: countComments,
  comment_restored: countComments,
  project_updated: (board, data) => {
    const { changes: _changes, ...fields } = data;
    return { project: { ...board.project, ...(fields as Partial<Project>) } };
  },
  project_deleted: (board) => ({ project: { ...board.project, deleted: true } }),
  project_restored: (board) => ({ project: { ...board.project, deleted: false } }),
  project_member_added: putMember,
  project_member_updated: putMember,
  project_member_removed: (board, data) => ({
    members: board.members.filter((member) => member.user_id !== data.user_id),
    tasks: dropReference(board.tasks, 'assignee_ids', data.user_id as string),
  }),
  column_created: putColumn,
  column_updated: putColumn,
  column_deleted: (board, data) => ({ columns: board.columns.filter((column) => column.id !== data.column_id) }),
  label_created: putLabel,
  label_updated: putLabel,
  label_deleted: (board, data) => ({
    labels: board.labels.filter((label) => label.id !== data.label_id),
    tasks: dropReference(board.tasks, 'label_ids', data.label_id as string),
  }),
};

/** The board after the event. A type from a newer server changes nothing but the position in the log. */
export function reduce(board: Board, event: BoardEvent): Board {
  if (event.seq !== board.seq + 1) return board;
  const changed = RULES[event.type]?.(board, event.data) ?? {};
  return { ...board, ...changed, seq: event.seq };
}
