/** How each change is asked of the server. Sending one twice is harmless: its `op_id` is the Idempotency-Key. */

import type { Change } from '../board/changes';
import type { Options } from '../server/api';
import type { Endpoints } from '../server/endpoints';
import { ApiError } from '../server/errors';
import type { Id, Task } from '../types';

/** Marks the key of a second request, whose body differs from the first one's. */
const AT_THE_END = '.end';

/** Resolves to the task as the server has it now, or to null where it answers with something else. */
export async function request(
  { tasks, comments }: Endpoints,
  project: Id,
  change: Change,
  ifMatch: number | undefined,
): Promise<Task | null> {
  const options: Options = { opId: change.op_id, tries: 1 };
  switch (change.kind) {
    case 'create':
      return placed(change.task, options, (where, how) => tasks.create({ project_id: project, ...where }, how));
    case 'move':
      return placed(change.to, options, (where, how) => tasks.move(change.task_id, where, how));
    case 'patch':
      return tasks.update(change.task_id, change.fields, { ...options, ifMatch });
    case 'restore':
      return tasks.restore(change.task_id, options);
    case 'archive':
      return tasks.archive(change.task_id, options);
    case 'unarchive':
      return tasks.unarchive(change.task_id, options);
    case 'delete':
      return gone(tasks.delete(change.task_id, options));
    case 'comment':
      await comments.add(change.task_id, change.body, options);
      return null;
    case 'comment-edit':
      await comments.update(change.comment_id, change.body, options);
      return null;
    case 'comment-delete':
      return gone(comments.delete(change.comment_id, options));
  }
}

/** What is to go may have gone already. */
async function gone(deletion: Promise<unknown>): Promise<null> {
  try {
    await deletion;
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
  }
  return null;
}

/** The neighbour may have been moved or deleted meanwhile: then the end of the column is the best place left. */
async function placed<W extends { before_id?: Id; after_id?: Id }>(
  where: W,
  options: Options,
  send: (where: Omit<W, 'before_id' | 'after_id'>, options: Options) => Promise<Task>,
): Promise<Task> {
  try {
    return await send(where, options);
  } catch (error) {
    const lost = error instanceof ApiError && error.fields.some(({ field }) => /(^|\.)(before|after)_id$/.test(field));
    if (!lost) throw error;
    const { before_id: _before, after_id: _after, ...rest } = where;
    return send(rest, { ...options, opId: options.opId + AT_THE_END });
  }
}
