/**
 * What happened to a task, as sentences with from and to. An event holds the whole task after it, so what was before is
 * in the event before it. Pure; the words are in the messages.
 */
import type { BoardEvent, ChecklistItem, Id, Timestamp } from '../types';

type WholeTask = 'created' | 'deleted' | 'restored' | 'archived' | 'unarchived';

/** One thing to say. `from` and `to` are raw values of the field: a column key, a priority, a date, a title. */
export type Happening =
  | { what: WholeTask | 'description' | 'place' }
  | { what: 'comment_added' | 'comment_updated' | 'comment_deleted' }
  | { what: 'status' | 'priority' | 'due' | 'title'; from: string | null | undefined; to: string | null }
  | { what: 'assignee_ids' | 'label_ids'; added: Id[]; removed: Id[]; known: boolean }
  | { what: 'checklist'; done: number; count: number };

export interface Entry {
  seq: number;
  at: Timestamp;
  user: Id | null;
  happenings: Happening[];
}

const WHOLE: Readonly<Record<string, WholeTask>> = {
  task_created: 'created',
  task_deleted: 'deleted',
  task_restored: 'restored',
  task_archived: 'archived',
  task_unarchived: 'unarchived',
};
const COMMENTS = new Set(['comment_added', 'comment_updated', 'comment_deleted']);

type Data = Record<string, unknown>;

/** @param events of one task, newest first, as the server pages them */
export function tell(events: readonly BoardEvent[]): Entry[] {
  return events.map((event, index) => {
    const before = events.slice(index + 1).find(({ type }) => type.startsWith('task_'))?.data;
    return { seq: event.seq, at: event.timestamp, user: event.user_id, happenings: happeningsOf(event, before) };
  });
}

function happeningsOf({ type, data }: BoardEvent, before: Data | undefined): Happening[] {
  const whole = WHOLE[type];
  if (whole) return [{ what: whole }];
  if (COMMENTS.has(type)) return [{ what: type as 'comment_added' }];
  const fields = (data.changes as string[] | undefined) ?? [];
  return fields.flatMap((field) => change(field, data, before, fields));
}

function change(field: string, data: Data, before: Data | undefined, all: readonly string[]): Happening[] {
  switch (field) {
    case 'description':
      return [{ what: 'description' }];
    case 'status':
    case 'priority':
    case 'due':
    case 'title':
      return [{ what: field, from: before?.[field] as string | null | undefined, to: data[field] as string | null }];
    case 'position':
      return all.includes('status') ? [] : [{ what: 'place' }];
    case 'assignee_ids':
    case 'label_ids': {
      const [now, then] = [data[field] as Id[], (before?.[field] as Id[] | undefined) ?? []];
      const added = now.filter((id) => !then.includes(id));
      const removed = then.filter((id) => !now.includes(id));
      return [{ what: field, added, removed, known: before !== undefined }];
    }
    case 'checklist': {
      const items = data.checklist as ChecklistItem[];
      return [{ what: 'checklist', done: items.filter((item) => item.done).length, count: items.length }];
    }
    default:
      return [];
  }
}
