/**
 * A person's changes on their way to the server, in every tab the same.
 *
 * A change is drawn at once, is on the disk a moment later, and stays there until the server has made it and the
 * board on the disk shows it, or the person has thrown it away. What this file does not do is send: sender.ts does,
 * in one tab. Knows nothing of boards.
 */
import { type Change, isAbout, isTemporary, renamed, temporaryId } from '../board/changes';
import type { VersionConflict } from '../board/merge';
import type { Problem } from '../server/errors';
import type { BoardEvent, Card, Id } from '../types';
import type { Disk } from './disk';

export interface Position {
  epoch: string;
  seq: number;
}

/**
 * `queued`: not answered yet. `accepted`: made, but the board may not show it yet. `failed`: refused, with the
 * reason in `problem`. `conflict`: somebody else changed the same, see `conflict`; a person decides.
 */
export type EntryState = 'queued' | 'accepted' | 'failed' | 'conflict';

export interface Entry {
  project: Id;
  change: Change;
  state: EntryState;
  /** Where the log stood when the change was made, or asked for anew: it cannot have happened earlier. */
  from: Position;
  /** When it was sent, for the first time that its key is good for; without it the change never left this device. Milliseconds since 1970. */
  tried?: number | undefined;
  /** It was asked for at the end of its column, its neighbour being gone: nothing else may be asked again. */
  atEnd?: boolean;
  /** The server asked for a pause: it is sent again by itself at that time. Milliseconds since 1970. */
  again?: number | undefined;
  /** The card as the server has it, once it has said yes. */
  answer?: Card | undefined;
  /** The id of what it made, a card or a comment. */
  made?: Id | undefined;
  problem?: Problem | undefined;
  conflict?: VersionConflict | undefined;
}

export type OutboxNews = { put: Entry[]; gone: string[] };
type Listener = (entries: readonly Entry[]) => void;

/** The change an event came from. */
export const opOf = (eventOpId: string | null | undefined): string | undefined => eventOpId?.replace(/\.end$/, '');

/** The id of what a change has made, by its event. */
export function idMade({ type, data }: BoardEvent): Id | undefined {
  if (type === 'task_created') return data.task_id as Id;
  return type === 'comment_added' ? (data.comment_id as Id) : undefined;
}

export class Outbox {
  /** Resolves when what earlier visits left is here. */
  readonly ready: Promise<void>;
  /** Tells the other tabs. */
  tell: (news: OutboxNews) => void = () => {};
  /** Called when there may be something to send. */
  wake: () => void = () => {};

  readonly #disk: Disk;
  readonly #owner: Id;
  readonly #listeners = new Set<Listener>();
  readonly #names = new Map<Id, Id>();
  #entries = new Map<string, Entry>();

  constructor(disk: Disk, owner: Id) {
    this.#disk = disk;
    this.#owner = owner;
    this.ready = this.#load();
  }

  /** Changes that are still to be sent. */
  get waiting(): number {
    return [...this.#entries.values()].filter(({ state }) => state === 'queued').length;
  }

  /** The changes of a project, oldest first. */
  of(project: Id): Entry[] {
    return [...this.#entries.values()].filter((entry) => entry.project === project);
  }

  get(op: string): Entry | undefined {
    return this.#entries.get(op);
  }

  /** Projects with changes that were not answered. */
  projects(): Set<Id> {
    return new Set([...this.#entries.values()].filter(({ state }) => state === 'queued').map(({ project }) => project));
  }

  /** Calls `listener` with the entries that changed or went. */
  follow(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  add(project: Id, change: Change, from: Position): void {
    // As it will be on the disk: forms hand in objects of their own, which may be alive.
    const plain = JSON.parse(JSON.stringify(change)) as Change;
    this.#change([{ project, change: this.#withNames(plain), state: 'queued', from }]);
    this.wake();
  }

  /** Writes down what became of a change; one that was thrown away meanwhile stays away. */
  update(op: string, news: Partial<Entry>): void {
    const entry = this.#entries.get(op);
    if (entry) this.#change([{ ...entry, ...news }]);
  }

  /** Notes how far sending it has got: for the sender, there is nothing in it to be drawn. */
  note(op: string, news: Pick<Entry, 'tried' | 'atEnd'>): void {
    const entry = this.#entries.get(op);
    if (entry) this.#write([{ ...entry, ...news }]);
  }

  /** Sends a refused change once more. */
  retry(op: string, news: Partial<Entry> = {}): void {
    this.update(op, { ...news, state: 'queued', problem: undefined, conflict: undefined });
    this.wake();
  }

  /** Takes a change back that has not left this device; false where it may have been made. */
  cancel(op: string): boolean {
    const entry = this.#entries.get(op);
    if (entry?.state !== 'queued' || entry.tried !== undefined) return false;
    this.discard(op);
    return true;
  }

  /** Throws a change away, and with a card or a comment that was never made everything that was done to it. */
  discard(op: string): Entry[] {
    const entry = this.#entries.get(op);
    if (!entry) return [];
    const orphans = [...this.#entries.values()].filter(({ change }) => isAbout(change, entry.change));
    const gone = [entry, ...orphans];
    this.#remove(gone);
    return gone;
  }

  /** A card or a comment has its real id; whatever was done to it meanwhile follows. */
  rename(from: Id, to: Id): void {
    this.#names.set(from, to);
    const touched = [...this.#entries.values()].flatMap((entry) => {
      const change = renamed(entry.change, from, to);
      return JSON.stringify(change) === JSON.stringify(entry.change) ? [] : [{ ...entry, change }];
    });
    this.#change(touched);
  }

  /** The boards on this device show these changes by themselves: they are over. */
  settle(ops: Iterable<string>): void {
    this.#remove([...ops].flatMap((op) => this.#entries.get(op) ?? []));
  }

  /** What another tab did. */
  hear({ put, gone }: OutboxNews): void {
    for (const entry of put) this.#learn(entry);
    const went = gone.flatMap((op) => this.#entries.get(op) ?? []);
    for (const op of gone) this.#entries.delete(op);
    this.#announce([...put, ...went]);
    this.wake();
  }

  async #load(): Promise<void> {
    const kept = (await this.#disk.list('outbox', `${this.#owner}/`)) as Entry[];
    const all = [...kept.filter(({ change }) => !this.#entries.has(change.op_id)), ...this.#entries.values()];
    all.sort((a, b) => a.change.at - b.change.at);
    this.#entries = new Map(all.map((entry) => [entry.change.op_id, entry]));
    for (const entry of all) this.#learn(entry);
    this.#announce(all);
    this.wake();
  }

  #learn(entry: Entry): void {
    const { change, made } = entry;
    this.#entries.set(change.op_id, entry);
    if (made) this.#names.set(temporaryId(change.op_id), made);
  }

  /** What is known by its temporary name may have got its real one a moment ago, in another tab. */
  #withNames(change: Change): Change {
    const used = JSON.stringify(change);
    let named = change;
    for (const [from, to] of this.#names)
      if (isTemporary(from) && used.includes(from)) named = renamed(named, from, to);
    return named;
  }

  #change(entries: Entry[]): void {
    if (entries.length === 0) return;
    this.#write(entries);
    this.#announce(entries);
  }

  #write(entries: Entry[]): void {
    for (const entry of entries) {
      this.#learn(entry);
      void this.#disk.put('outbox', this.#key(entry), entry);
    }
    this.tell({ put: entries, gone: [] });
  }

  #remove(entries: Entry[]): void {
    if (entries.length === 0) return;
    for (const entry of entries) {
      this.#entries.delete(entry.change.op_id);
      void this.#disk.remove('outbox', this.#key(entry));
    }
    this.tell({ put: [], gone: entries.map(({ change }) => change.op_id) });
    this.#announce(entries);
  }

  #key(entry: Entry): string {
    return `${this.#owner}/${entry.change.op_id}`;
  }

  #announce(entries: readonly Entry[]): void {
    for (const listener of [...this.#listeners]) listener(entries);
  }
}
