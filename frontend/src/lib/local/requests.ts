/** How each change is asked of the server. Sending one twice is harmless: its `op_id` is the Idempotency-Key. */

import type { Options } from '../server/api';
import type { Endpoints } from '../server/endpoints';
import { ApiError } from '../server/errors';
import type { Id, Task } from '../types';
import type { Entry } from './outbox';

/** Marks the key of a second request, whose body differs from the first one's. */
const AT_THE_END = '.end';

export interface Answer {
  /** The task as the server has it now, where that is what it answers with. */
  task?: Task;
  /** The id of what was made. */
  made?: Id;
}

/**
 * Asks the server to make a change.
 *
 * @param noteEnd called before a card is asked for at the end of its column, which is then all that may be asked again
 */
export async function request(
  { tasks, comments }: Endpoints,
  { project, change, atEnd = false }: Entry,
  ifMatch: number | undefined,
  noteEnd: () => void,
): Promise<Answer> {
  const options: Options = { opId: change.op_id, tries: 1 };
  const end = { atEnd, noteEnd };
  switch (change.kind) {
    case 'create': {
      const task = await placed(change.task, options, end, (where, how) =>
        tasks.create({ project_id: project, ...where }, how),
      );
      return { task, made: task.id };
    }
    case 'move':
      return { task: await placed(change.to, options, end, (where, how) => tasks.move(change.task_id, where, how)) };
    case 'patch':
      return { task: await tasks.update(change.task_id, change.fields, { ...options, ifMatch }) };
    case 'restore':
      return { task: await tasks.restore(change.task_id, options) };
    case 'archive':
      return { task: await tasks.archive(change.task_id, options) };
    case 'unarchive':
      return { task: await tasks.unarchive(change.task_id, options) };
    case 'delete':
      return done(tasks.delete(change.task_id, options));
    case 'comment':
      return { made: (await comments.add(change.task_id, change.body, options)).id };
    case 'comment-edit':
      await comments.update(change.comment_id, change.body, options);
      return {};
    case 'comment-delete':
      return done(comments.delete(change.comment_id, options));
    case 'comment-restore':
      return done(comments.restore(change.comment_id, options));
  }
}

/** What is to go may have gone already, and a comment that is to come back may never have gone. */
async function done(asked: Promise<unknown>): Promise<Answer> {
  try {
    await asked;
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
  }
  return {};
}

/**
 * The neighbour may have been moved or deleted meanwhile: then the end of the column is the best place left. And the
 * last word: with the neighbour back, the first request would do it once more, for its key is another one.
 */
async function placed<W extends { before_id?: Id; after_id?: Id }>(
  where: W,
  options: Options,
  { atEnd, noteEnd }: { atEnd: boolean; noteEnd: () => void },
  send: (where: Omit<W, 'before_id' | 'after_id'>, options: Options) => Promise<Task>,
): Promise<Task> {
  if (!atEnd) {
    try {
      return await send(where, options);
    } catch (error) {
      const named = error instanceof ApiError ? error.fields : [];
      if (!named.some(({ field }) => /(^|\.)(before|after)_id$/.test(field))) throw error;
      noteEnd();
    }
  }
  const { before_id: _before, after_id: _after, ...rest } = where;
  return send(rest, { ...options, opId: options.opId + AT_THE_END });
}
