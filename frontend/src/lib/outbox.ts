/**
 * Sends a person's changes of one project, one after the other, until the server has answered each.
 *
 * They are kept on this device meanwhile, so a reload or a dead network loses none; sending one twice is harmless,
 * since its `op_id` is the Idempotency-Key. Knows nothing of boards: what an answer means is told by callbacks.
 */
import type { Options } from './api';
import { type Change, isTemporary, renamed, temporaryId } from './changes';
import type { Endpoints } from './endpoints';
import { ApiError, SignedOutError } from './errors';
import { Lineage } from './lineage';
import { forget, remember, remembered, rememberedKeys } from './storage';
import type { Id, Task } from './types';

/** The server remembers an Idempotency-Key for 24 h; a change older than that could happen twice. */
const KEPT_MS = 23 * 3_600_000;
/** Marks the key of a second request, whose body differs from the first one's. */
const AT_THE_END = '.end';

/** The change an event came from. */
export const opOf = (eventOpId: string | null | undefined): string | undefined => eventOpId?.replace(/\.end$/, '');

export interface Listener {
  /** The server has made the change. `task` is what it is now; null for a comment and a removal. */
  accepted(change: Change, task: Task | null): void;
  refused(change: Change, error: unknown): void;
}

export class Outbox {
  readonly #rest: Endpoints;
  readonly #project: Id;
  readonly #prefix: string;
  readonly #listener: Listener;
  readonly #lineage = new Lineage();
  #queue: Change[] = [];
  #sending = false;
  #closed = false;

  constructor(rest: Endpoints, project: Id, user: Id, listener: Listener) {
    this.#rest = rest;
    this.#project = project;
    this.#prefix = `outbox.${user}.${project}.`;
    this.#listener = listener;
  }

  /** Changes left here by an earlier visit, oldest first; they are queued again. */
  adopt(now = Date.now()): Change[] {
    const found = rememberedKeys(this.#prefix).flatMap((key) => {
      const change = read(key);
      if (change && now - change.at < KEPT_MS) return [change];
      forget(key);
      return [];
    });
    found.sort((a, b) => a.at - b.at);
    this.#queue.push(...found);
    void this.#run();
    return found;
  }

  add(change: Change): void {
    this.#queue.push(change);
    remember(this.#prefix + change.op_id, JSON.stringify(change));
    void this.#run();
  }

  /** Stops after the change under way; the rest stays on this device. */
  close(): void {
    this.#closed = true;
  }

  async #run(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    while (!this.#closed) {
      const change = this.#queue[0];
      if (!change) break;
      try {
        await this.#send(change);
      } catch (error) {
        if (error instanceof SignedOutError) break;
        this.#drop(change);
        this.#listener.refused(change, error);
      }
    }
    this.#sending = false;
  }

  async #send(change: Change): Promise<void> {
    const options = { opId: change.op_id, patient: true };
    const { tasks, comments } = this.#rest;
    if ('task_id' in change && isTemporary(change.task_id)) {
      // The card it belongs to was refused, which has been said already.
      this.#drop(change);
      return;
    }
    switch (change.kind) {
      case 'create': {
        const task = await this.#placed(change.task, change.op_id, (where, options) =>
          tasks.create({ project_id: this.#project, ...where }, options),
        );
        this.#drop(change);
        this.#rename(temporaryId(change.op_id), task.id);
        return this.#listener.accepted(change, task);
      }
      case 'move': {
        const task = await this.#placed(change.to, change.op_id, (where, options) =>
          tasks.move(change.task_id, where, options),
        );
        this.#drop(change);
        return this.#listener.accepted(change, task);
      }
      case 'patch': {
        const fields = Object.keys(change.fields);
        const ifMatch = this.#lineage.follow(change.task_id, fields, change.seen);
        const task = await tasks.update(change.task_id, change.fields, { ...options, ifMatch });
        this.#lineage.accepted(change.task_id, fields, ifMatch, task.version);
        this.#drop(change);
        return this.#listener.accepted(change, task);
      }
      case 'delete':
        await tasks.delete(change.task_id, options);
        this.#drop(change);
        return this.#listener.accepted(change, null);
      case 'archive':
        await tasks.archive(change.task_id, options);
        this.#drop(change);
        return this.#listener.accepted(change, null);
      case 'restore':
      case 'unarchive': {
        const task = await tasks[change.kind](change.task_id, options);
        this.#drop(change);
        return this.#listener.accepted(change, task);
      }
      case 'comment': {
        await comments.add(change.task_id, change.body, options);
        this.#drop(change);
        return this.#listener.accepted(change, null);
      }
    }
  }

  /** The neighbour may have been moved or deleted meanwhile: then the end of the column is the best place left. */
  async #placed<W extends { before_id?: Id; after_id?: Id }>(
    where: W,
    opId: string,
    send: (where: Omit<W, 'before_id' | 'after_id'>, options: Options) => Promise<Task>,
  ): Promise<Task> {
    try {
      return await send(where, { opId, patient: true });
    } catch (error) {
      const lost =
        error instanceof ApiError && error.fields.some(({ field }) => /(^|\.)(before|after)_id$/.test(field));
      if (!lost) throw error;
      const { before_id: _before, after_id: _after, ...rest } = where;
      return await send(rest, { opId: opId + AT_THE_END, patient: true });
    }
  }

  #drop(change: Change): void {
    this.#queue = this.#queue.filter((other) => other.op_id !== change.op_id);
    forget(this.#prefix + change.op_id);
  }

  #rename(from: Id, to: Id): void {
    this.#queue = this.#queue.map((change) => {
      const next = renamed(change, from, to);
      remember(this.#prefix + next.op_id, JSON.stringify(next));
      return next;
    });
  }
}

function read(key: string): Change | null {
  try {
    return JSON.parse(remembered(key) ?? 'null') as Change | null;
  } catch {
    return null;
  }
}
