/** What to do when two people changed the same field of a task at once. */
import type { ApiError } from './errors';
import type { Task, TaskPatch } from './types';

/** Body of a `version_conflict`; `base` is null when the server no longer knows the version the change began at. */
export interface VersionConflict {
  fields: string[];
  mine: Partial<Task>;
  theirs: Partial<Task>;
  base: Partial<Task> | null;
  current: Task;
}

export function conflictOf(error: ApiError): VersionConflict | null {
  if (error.code !== 'version_conflict') return null;
  const { fields, mine, theirs, base, current } = error.problem;
  return { fields, mine, theirs, base: base ?? null, current } as VersionConflict;
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
 * My change of lists, replayed on theirs; null when only a person can decide. `fields` is what I sent: its new
 * checklist items have no ids yet.
 */
export function mergeLists(fields: TaskPatch, conflict: VersionConflict): TaskPatch | null {
  const { base, theirs } = conflict;
  if (!base) return null;
  const merged: TaskPatch = { ...fields };
  for (const field of conflict.fields) {
    if (field === 'label_ids' || field === 'assignee_ids') {
      merged[field] = mergeSets(base[field] ?? [], fields[field] ?? [], theirs[field] ?? []);
    } else if (field === 'checklist') {
      merged.checklist = mergeChecklists(base.checklist ?? [], fields.checklist ?? [], theirs.checklist ?? []);
    } else {
      return null;
    }
  }
  return merged;
}
