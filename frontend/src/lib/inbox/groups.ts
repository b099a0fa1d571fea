/** Notifications as the inbox lists them: those of one task together, unread mentions first. Pure functions. */
import type { Id, InboxFilter, Notification } from '../types';

export interface Group {
  /** Of the task, or of the project for what is about no task. */
  id: string;
  items: Notification[];
}

export type InboxRow =
  | { kind: 'head'; id: string; group: Group }
  | { kind: 'item'; id: Id; item: Notification; group: Group };

const isAway = ({ snoozed_until }: Notification, now: Date) =>
  snoozed_until !== null && Date.parse(snoozed_until) > now.getTime();

/** Whether it belongs into that list now. */
export function belongs(item: Notification, filter: InboxFilter, now: Date): boolean {
  if (filter === 'archived') return item.archived_at !== null;
  if (item.archived_at !== null || isAway(item, now)) return false;
  if (filter === 'mentions') return item.kind === 'mentioned' || item.why === 'mentioned';
  return filter === 'all' || item.kind === 'assigned' || item.why === 'assignee';
}

/** Whether the bell counts it. */
export const isUnread = (item: Notification, now: Date): boolean =>
  item.read_at === null && item.archived_at === null && !isAway(item, now);

/** The newest first; of one moment the one told last. */
export const newestFirst = (a: Notification, b: Notification): number =>
  a.updated_at === b.updated_at ? b.seq - a.seq : a.updated_at < b.updated_at ? 1 : -1;

/**
 * The rows, newest group first.
 *
 * @param items the newest first
 * @param urgent ids of mentions that stand before everything else
 */
export function rowsOf(items: readonly Notification[], urgent: ReadonlySet<Id>): InboxRow[] {
  const groups = new Map<string, Group>();
  for (const item of items) {
    const id = `group ${item.task_id ?? item.project_id}`;
    const group = groups.get(id);
    if (group) group.items.push(item);
    else groups.set(id, { id, items: [item] });
  }
  const first: Group[] = [];
  const rest: Group[] = [];
  for (const group of groups.values()) {
    const mentions = group.items.filter(({ id }) => urgent.has(id));
    if (mentions.length > 0) group.items = [...mentions, ...group.items.filter(({ id }) => !urgent.has(id))];
    (mentions.length > 0 ? first : rest).push(group);
  }
  return [...first, ...rest].flatMap((group): InboxRow[] => [
    { kind: 'head', id: group.id, group },
    ...group.items.map((item): InboxRow => ({ kind: 'item', id: item.id, item, group })),
  ]);
}

/** The item one comes to from a row by `step`; the first or the last where there is none before. */
export function itemBeside(rows: readonly InboxRow[], from: Id | null, step: 1 | -1): Id | null {
  const items = rows.filter(({ kind }) => kind === 'item');
  const index = items.findIndex(({ id }) => id === from);
  const next = index < 0 ? 0 : Math.max(0, Math.min(index + step, items.length - 1));
  return items[next]?.id ?? null;
}

/** The number in a task's key: `WEB-12`. */
export const numberOf = ({ task_key }: Notification): number | null => {
  const number = Number(task_key?.split('-').at(-1));
  return number > 0 ? number : null;
};
