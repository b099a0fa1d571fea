/**
 * Sends what the outbox holds: the changes of each project one after the other, in the order they were made, until
 * the server has answered each. One tab of the browser does it at a time.
 *
 * A network that is away is waited for. A change the server refuses stays in the outbox with the reason, and stops
 * only those that were made on top of it.
 */

import { type Change, isAhead, temporaryId } from '../board/changes';
import { Lineage } from '../board/lineage';
import { conflictOf, mergeLists } from '../board/merge';
import { toCard } from '../board/reducer';
import { waitBefore } from '../server/api';
import type { Endpoints } from '../server/endpoints';
import { ApiError, isPassing, NetworkError, type Problem, SignedOutError } from '../server/errors';
import type { BoardEvent, Id, Task } from '../types';
import { type Entry, idMade, type Outbox, opOf } from './outbox';
import { type Answer, request } from './requests';

/** The server remembers an Idempotency-Key for 24 h; a change tried before that is looked for in the log. */
const REMEMBERED_MS = 23 * 3_600_000;

export interface SenderWorld {
  /** Waits, or less when the network comes back. */
  pause: (ms: number) => Promise<void>;
  now: () => number;
  /** Whether the device has no network at all: then nothing leaves it. */
  offline: () => boolean;
}

export class Sender {
  readonly #outbox: Outbox;
  readonly #rest: Endpoints;
  readonly #world: SenderWorld;
  readonly #lineage = new Lineage();
  readonly #lanes = new Set<Id>();
  #active = false;
  #hurry: () => void = () => {};
  #hurried: Promise<void> = Promise.resolve();

  constructor(outbox: Outbox, rest: Endpoints, world: SenderWorld) {
    this.#outbox = outbox;
    this.#rest = rest;
    this.#world = world;
    this.#newHurry();
  }

  /** This tab sends from now on. */
  start(): void {
    this.#active = true;
    this.wake();
  }

  /** Stops after the request under way, whose answer still counts. */
  stop(): void {
    this.#active = false;
    this.#hurry();
  }

  /** Something new is there. */
  wake(): void {
    if (!this.#active) return;
    for (const project of this.#outbox.projects()) {
      if (!this.#lanes.has(project)) void this.#run(project);
    }
  }

  /** The server is known to be there again: no waiting. */
  hurry(): void {
    this.#hurry();
    this.#newHurry();
    this.wake();
  }

  #newHurry(): void {
    this.#hurried = new Promise((resolve) => {
      this.#hurry = resolve;
    });
  }

  async #run(project: Id): Promise<void> {
    this.#lanes.add(project);
    let failures = 0;
    while (this.#active) {
      const entry = nextOf(this.#outbox.of(project));
      if (!entry) break;
      const offline = this.#world.offline();
      try {
        await this.#send(entry);
        failures = 0;
      } catch (error) {
        if (error instanceof SignedOutError) break;
        const stayed = offline && this.#world.offline() && error instanceof NetworkError;
        if (stayed) this.#outbox.note(entry.change.op_id, { tried: entry.tried });
        if (isPassing(error)) await this.#waitWith(entry, error, waitBefore(failures++, error));
        else this.#refused(entry, error);
      }
    }
    this.#lanes.delete(project);
  }

  /** Waits before the change is sent again; of a pause that the server asked for, every tab knows how long it is. */
  async #waitWith({ change }: Entry, error: unknown, ms: number): Promise<void> {
    const asked = error instanceof ApiError && error.status === 429;
    if (asked) this.#outbox.update(change.op_id, { again: this.#world.now() + ms });
    await Promise.race([this.#world.pause(ms), this.#hurried]);
    if (asked) this.#outbox.update(change.op_id, { again: undefined });
  }

  async #send(entry: Entry): Promise<void> {
    const { change, tried } = entry;
    const { op_id } = change;
    if (tried !== undefined && this.#world.now() - tried > REMEMBERED_MS) {
      const event = await this.#inLog(entry);
      if (event) return this.#accepted(entry, answerOf(event));
      this.#outbox.note(op_id, { tried: this.#world.now() });
    } else if (tried === undefined) this.#outbox.note(op_id, { tried: this.#world.now() });
    const ifMatch = change.kind === 'patch' ? this.#follow(change) : undefined;
    const answer = await request(this.#rest, entry, ifMatch, () => this.#outbox.note(op_id, { atEnd: true }));
    if (change.kind === 'patch' && answer.task) {
      this.#lineage.accepted(change.task_id, Object.keys(change.fields), ifMatch, answer.task.version);
    }
    this.#accepted(entry, answer);
  }

  #follow(change: Change & { kind: 'patch' }): number | undefined {
    return this.#lineage.follow(change.task_id, Object.keys(change.fields), change.seen);
  }

  #accepted({ change, project }: Entry, { task, made }: Answer): void {
    const answer = task && toCard(task);
    this.#outbox.update(change.op_id, { state: 'accepted', answer, made });
    if (made) this.#outbox.rename(temporaryId(change.op_id), made);
    if (change.kind === 'patch') this.#carryOn(project, change.task_id);
  }

  /** Later changes of the same fields were made on top of ours; written down, so that a crash does not forget it. */
  #carryOn(project: Id, task: Id): void {
    for (const { change, state } of this.#outbox.of(project)) {
      if (state !== 'queued' || change.kind !== 'patch' || change.task_id !== task) continue;
      const seen = this.#follow(change);
      if (seen !== change.seen) this.#outbox.update(change.op_id, { change: { ...change, seen } });
    }
  }

  #refused(entry: Entry, error: unknown): void {
    const { change } = entry;
    const conflict = error instanceof ApiError && change.kind === 'patch' ? conflictOf(error) : null;
    if (!conflict || change.kind !== 'patch') {
      this.#outbox.update(change.op_id, { state: 'failed', problem: problemOf(error) });
      return;
    }
    const { fields, left } = mergeLists(change.fields, conflict);
    const merged = { ...change, fields, seen: conflict.current.version };
    if (left.length === 0) this.#outbox.retry(change.op_id, { change: merged });
    else
      this.#outbox.update(change.op_id, { state: 'conflict', change: merged, conflict: { ...conflict, fields: left } });
  }

  /** The event of a change whose answer never came and whose key the server has forgotten. */
  async #inLog({ project, change, from }: Entry): Promise<BoardEvent | null> {
    for (let since: number | null = from.seq; since !== null; ) {
      const page = await this.#rest.projects.events(project, since, from.epoch);
      const found = page.items.find((event) => opOf(event.op_id) === change.op_id);
      if (found) return found;
      since = page.next_since;
    }
    return null;
  }
}

/** What the server would have answered to the request that an event tells of. */
function answerOf(event: BoardEvent): Answer {
  const made = idMade(event);
  return { ...(event.type.startsWith('task_') && { task: event.data as unknown as Task }), ...(made && { made }) };
}

/** The oldest that may go: not one made on top of a change that waits for a decision. */
function nextOf(entries: readonly Entry[]): Entry | undefined {
  const stuck: Change[] = [];
  for (const { change, state, ...rest } of entries) {
    if (state === 'queued' && !stuck.some((other) => restsOn(change, other))) return { change, state, ...rest };
    if (state !== 'accepted') stuck.push(change);
  }
  return undefined;
}

function restsOn(change: Change, earlier: Change): boolean {
  if (isAhead(change)) return true;
  if (change.kind !== 'patch' || earlier.kind !== 'patch' || change.task_id !== earlier.task_id) return false;
  return Object.keys(change.fields).some((field) => field in earlier.fields);
}

/** The reason, as plain data that can be kept. */
function problemOf(error: unknown): Problem {
  if (error instanceof ApiError) return { ...error.problem, status: error.status, code: error.code };
  return { status: 0, code: 'unknown', detail: String(error) };
}
