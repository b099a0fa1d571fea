/** What to do when two people changed the same field of a task at once. */
import type { ApiError } from '../server/errors';
import type { Id, Task, TaskPatch, Timestamp } from '../types';

/** Body of a `version_conflict`; `base` is null when the server no longer knows the version the change began at. */
export interface VersionConflict {
  fields: string[];
  mine: Partial<Task>;
  theirs: Partial<Task>;
  base: Partial<Task> | null;
  current: Task;
  /** Who changed a field last, and when; not of every field, and not from before the server told it. */
  changed?: Record<string, { user_id: Id | null; at: Timestamp }> | undefined;
}

export function conflictOf(error: ApiError): VersionConflict | null {
  if (error.code !== 'version_conflict') return null;
  const { fields, mine, theirs, base, current, changed } = error.problem;
  return { fields, mine, theirs, base: base ?? null, current, changed } as VersionConflict;
}

type Item = NonNullable<TaskPatch['checklist']>[number];

/** Their set with my additions and removals. */
export function mergeSets(base: readonly string[], mine: readonly string[], theirs: readonly string[]): string[] {
  const kept = theirs.filter((id) => mine.includes(id) || !base.includes(id));
  const added = mine.filter((id) => !base.includes(id) && !theirs.includes(id));
  return [...kept, ...added];
}

/** Their checklist with what I added, removed and changed, item by item. */
export function mergeChecklists(base: readonly Item[], mine: readonly Item[], theirs: readonly Item[]): Item[] {
  const find = (list: readonly Item[], id: string | undefined) =>
    id === undefined ? undefined : list.find((item) => item.id === id);
  const kept = theirs.flatMap((item) => {
    const before = find(base, item.id);
    const now = find(mine, item.id);
    if (before && !now) return [];
    if (!before || !now) return [item];
    return [
      {
        ...item,
        text: now.text === before.text ? item.text : now.text,
        done: now.done === before.done ? item.done : now.done,
      },
    ];
  });
  return [...kept, ...mine.filter((item) => !find(base, item.id) && !find(theirs, item.id))];
}

/**
 * What I sent, with lists replayed on theirs, and the fields that only a person can decide. The new items of a
 * checklist have no ids yet.
 */
export function mergeLists(fields: TaskPatch, conflict: VersionConflict): { fields: TaskPatch; left: string[] } {
  const { base, theirs } = conflict;
  const merged: TaskPatch = { ...fields };
  const left: string[] = [];
  for (const field of conflict.fields) {
    if (!base) left.push(field);
    else if (field === 'label_ids' || field === 'assignee_ids') {
      merged[field] = mergeSets(base[field] ?? [], fields[field] ?? [], theirs[field] ?? []);
    } else if (field === 'checklist') {
      merged.checklist = mergeChecklists(base.checklist ?? [], fields.checklist ?? [], theirs.checklist ?? []);
    } else left.push(field);
  }
  return { fields: merged, left };
}

/** What is left to send: not what is theirs already. */
export function withoutTheirs(fields: TaskPatch, theirs: Partial<Task>): TaskPatch {
  const same = (name: string) => {
    const field = name as keyof TaskPatch;
    return field in theirs && JSON.stringify(fields[field]) === JSON.stringify(theirs[field]);
  };
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !same(name)));
}
