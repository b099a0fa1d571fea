/**
 * A person's notifications in one tab: what was read from the server, page by page, kept current by their stream.
 *
 * Every row carries the position of its last change, so applying is an assignment and an older one is dropped. What
 * one does shows at once and is taken back where the server refuses. A hole in the stream has the list read again, and
 * without a stream it is looked up now and then.
 */
import type { Message } from '$client';
import type { Copies } from '../local/copies';
import { bell } from '../page/bell.svelte';
import { attempt } from '../server/attempt';
import type { Endpoints, NotificationFields } from '../server/endpoints';
import { NetworkError } from '../server/errors';
import type { Id, InboxFilter, Notification, NotificationPage, Timestamp } from '../types';
import { belongs, isUnread, newestFirst } from './groups';

/** Rows read at a time: more than a tall screen shows. */
const PAGE = 100;
/** The latest change is on the disk this much later. */
const SAVE_MS = 1_000;
/** Where the stream does not come, it is looked up so often. */
const LOOK_MS = 30_000;
/** Rows kept on the device, the newest. */
const KEPT = 200;

export const FILTERS: readonly [InboxFilter, ...InboxFilter[]] = ['all', 'mentions', 'assigned', 'archived'];

interface Surroundings {
  rest: Pick<Endpoints, 'notifications' | 'tasks'>;
  live: { joinUser(): void; on(name: string, handler: (message: Message) => unknown): () => void };
  copies: Pick<Copies, 'inbox' | 'saveInbox'> | null;
  /** Told of what is new, as it comes. */
  onNews?: (item: Notification) => void;
  now?: () => Date;
}

/** How far one list has been read. */
interface Progress {
  cursor: string | null;
  /** Everything changed since then is here; '' when all is. */
  reached: Timestamp;
}

interface Told {
  action: string;
  notification: Notification | null;
  /** Of one project only. */
  project_id: Id | null;
  unread: number;
}

export class Inbox {
  error = $state.raw<unknown>(null);
  #rows = $state.raw<ReadonlyMap<Id, Notification>>(new Map());
  #progress = $state.raw<Partial<Record<InboxFilter, Progress>>>({});
  /** What is shown is this device's copy; the server has not answered yet. */
  #recalled = $state(false);

  readonly #world: Surroundings;
  readonly #now: () => Date;
  #stops: Array<() => void> = [];
  #seq: number | null = null;
  /** The stream is followed. */
  #live = false;
  /** How often the stream has said something; who reads meanwhile knows less than it. */
  #heard = 0;
  readonly #reading = new Map<InboxFilter, Promise<void>>();
  #saving: ReturnType<typeof setTimeout> | undefined;

  constructor(world: Surroundings) {
    this.#world = world;
    this.#now = world.now ?? (() => new Date());
  }

  start(): void {
    const { live } = this.#world;
    const looking = setInterval(() => void this.#look(), LOOK_MS);
    this.#stops = [
      live.on('notification', (message) => this.#hear(message)),
      live.on('user_joined', ({ data }) => this.#joined(data)),
      live.on('resync', ({ data, project_id }) => project_id === undefined && this.#again(data.seq)),
      live.on('state', ({ data }) => {
        if (data.state !== 'open') this.#live = false;
      }),
      () => clearTimeout(this.#saving),
      () => clearInterval(looking),
    ];
    live.joinUser();
    void this.#recall();
    void this.load('all');
  }

  stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }

  /** The rows of a list as far as it has been read, newest first; null before anything is known. */
  list(filter: InboxFilter): Notification[] | null {
    const progress = this.#progress[filter];
    if (!progress && !this.#recalled) return null;
    const { reached } = progress ?? { reached: '' };
    const now = this.#now();
    return [...this.#rows.values()]
      .filter((item) => belongs(item, filter, now) && (item.updated_at >= reached || isUrgent(item, filter)))
      .sort(newestFirst);
  }

  /** Whether the first page of a list is here. */
  isRead(filter: InboxFilter): boolean {
    return this.#progress[filter] !== undefined;
  }

  /** Whether there is more to read. */
  hasMore(filter: InboxFilter): boolean {
    return this.#progress[filter]?.cursor != null;
  }

  /** Reads the first page of a list that has not been read; the unread mentions with it, which stand on top. */
  async load(filter: InboxFilter): Promise<void> {
    if (!this.isRead(filter)) await this.#read(filter);
    if (filter === 'all' && !this.isRead('mentions')) await this.#read('mentions');
  }

  /** Reads the next page of a list. */
  async more(filter: InboxFilter): Promise<void> {
    if (this.hasMore(filter)) await this.#read(filter);
  }

  read(ids: readonly Id[], read = true): Promise<boolean> {
    const read_at = read ? this.#now().toISOString() : null;
    return this.#change(ids, { read }, (item) => ({ ...item, read_at }));
  }

  /** Puts them away, read; or takes them back. */
  archive(ids: readonly Id[], archived = true): Promise<boolean> {
    const at = this.#now().toISOString();
    return this.#change(ids, { archived, ...(archived && { read: true }) }, (item) =>
      archived ? { ...item, archived_at: at, read_at: item.read_at ?? at } : { ...item, archived_at: null },
    );
  }

  snooze(ids: readonly Id[], snoozed_until: Timestamp | null): Promise<boolean> {
    return this.#change(ids, { snoozed_until }, (item) => ({ ...item, snoozed_until }));
  }

  readAll(): Promise<boolean> {
    const after = this.#marked('read');
    return attempt(() => this.#foresee(after, () => this.#world.rest.notifications.readAll(), 0));
  }

  /** Puts everything away that has been read. */
  archiveRead(): Promise<boolean> {
    const after = this.#marked('archived');
    return attempt(() => this.#foresee(after, () => this.#world.rest.notifications.archiveAll()));
  }

  /** What was told about a task has been seen, for its card is open. Nobody asked for it: a failure is not told. */
  async seeTask(task: Id): Promise<void> {
    const now = this.#now();
    const read_at = now.toISOString();
    const seen = [...this.#rows.values()].filter((item) => item.task_id === task && isUnread(item, now));
    const after = seen.map((item) => ({ ...item, read_at }));
    await this.#foresee(after, () => this.#world.rest.tasks.read(task)).catch(() => {});
  }

  #change(
    ids: readonly Id[],
    fields: NotificationFields,
    change: (item: Notification) => Notification,
  ): Promise<boolean> {
    const after = ids.flatMap((id) => this.#rows.get(id) ?? []).map(change);
    const { update } = this.#world.rest.notifications;
    return attempt(() =>
      this.#foresee(after, async () => {
        // One that is not here yet, too: a push may be ahead of the stream.
        for (const id of ids) this.#put([await update(id, fields)]);
      }),
    );
  }

  /** Shows what `work` is going to bring about, and takes it back where that fails. */
  async #foresee(after: readonly Notification[], work: () => Promise<unknown>, unread?: number): Promise<void> {
    const now = this.#now();
    const before = after.flatMap(({ id }) => this.#rows.get(id) ?? []);
    const count = (items: readonly Notification[]) => items.filter((item) => isUnread(item, now)).length;
    const [counted, heard] = [bell.unread, this.#heard];
    this.#put(after);
    bell.unread = unread ?? Math.max(0, counted + count(after) - count(before));
    try {
      await work();
    } catch (error) {
      const foreseen = new Set(after);
      this.#put(before.filter(({ id }) => foreseen.has(this.#rows.get(id) as Notification)));
      if (heard === this.#heard) bell.unread = counted;
      throw error;
    }
  }

  #read(filter: InboxFilter): Promise<void> {
    const reading = this.#reading.get(filter) ?? this.#readOnce(filter).finally(() => this.#reading.delete(filter));
    this.#reading.set(filter, reading);
    return reading;
  }

  async #readOnce(filter: InboxFilter): Promise<void> {
    const heard = this.#heard;
    const from = this.#progress[filter]?.cursor ?? null;
    try {
      const page = await this.#world.rest.notifications.list(filter, from, PAGE);
      this.error = null;
      this.#take(filter, page);
      if (heard === this.#heard) bell.unread = page.unread;
    } catch (failure) {
      // Without a network, what this device knows is the answer.
      if (!this.#recalled || !(failure instanceof NetworkError)) this.error = failure;
    }
  }

  /** The newest, in place of the stream. */
  async #look(): Promise<void> {
    if (this.#live || document.visibilityState !== 'visible') return;
    const page = await this.#world.rest.notifications.list('all', null, PAGE).catch(() => null);
    if (!page || this.#live) return;
    this.#put(page.items);
    bell.unread = page.unread;
  }

  #take(filter: InboxFilter, { items, next_cursor }: NotificationPage): void {
    if (this.#recalled && filter === 'all') {
      // What is here may be gone by now.
      this.#rows = new Map();
      this.#progress = {};
      this.#recalled = false;
    }
    const reached = next_cursor === null ? '' : (items.at(-1)?.updated_at ?? '');
    this.#progress = { ...this.#progress, [filter]: { cursor: next_cursor, reached } };
    this.#put(items);
  }

  #hear({ seq, data, timestamp }: Message): void {
    if (seq === undefined || (this.#seq !== null && seq <= this.#seq)) return;
    const isHole = this.#seq !== null && seq > this.#seq + 1;
    this.#seq = seq;
    this.#heard++;
    this.#apply(data as Told, seq, timestamp ?? this.#now().toISOString());
    if (isHole || (data as Told).action === 'changed') this.#again(seq);
  }

  #apply({ action, notification, project_id, unread }: Told, seq: number, at: Timestamp): void {
    bell.unread = unread;
    if (action === 'read_all') this.#put(this.#marked('read', { before: seq, project: project_id, at }));
    else if (action === 'archived_read') this.#put(this.#marked('archived', { before: seq, at }));
    else if (action === 'forgotten') this.#forget(project_id);
    if (!notification) return;
    this.#put([notification]);
    if (action === 'added') this.#world.onNews?.(notification);
  }

  /** May not be seen any more. */
  #forget(project: Id | null): void {
    this.#assign(new Map([...this.#rows].filter(([, { project_id }]) => project_id !== project)));
  }

  /** The rows that are to be read, as read; or those that were, as archived. None told of later than `before`. */
  #marked(
    how: 'read' | 'archived',
    { before = Number.POSITIVE_INFINITY, project = null as Id | null, at = this.#now().toISOString() } = {},
  ): Notification[] {
    const rows = [...this.#rows.values()].filter(
      (item) => item.seq < before && item.archived_at === null && (project === null || item.project_id === project),
    );
    if (how === 'read') return rows.filter((item) => item.read_at === null).map((item) => ({ ...item, read_at: at }));
    return rows.filter((item) => item.read_at !== null).map((item) => ({ ...item, archived_at: at }));
  }

  #joined({ seq, recovered, unread }: { seq: number; recovered: boolean | null; unread: number }): void {
    this.#live = true;
    if (recovered) return;
    bell.unread = unread;
    const known = Math.max(this.#seq ?? 0, ...[...this.#rows.values()].map((item) => item.seq));
    if (this.#seq === null) this.#seq = seq;
    if (known < seq) this.#again(seq);
  }

  /** Reads from the beginning: what was missed cannot be told. */
  #again(seq: number | null): void {
    this.#seq = seq;
    this.#recalled = true;
    this.#progress = {};
    // An answer on its way may be older than what was missed.
    const before = [...this.#reading.values()];
    this.#reading.clear();
    void Promise.allSettled(before).then(() => {
      this.#progress = {};
      return this.load('all');
    });
  }

  /** Takes these in, unless what is here is newer. */
  #put(items: readonly Notification[]): void {
    const rows = new Map(this.#rows);
    for (const item of items) {
      const known = rows.get(item.id);
      if (!known || known.seq <= item.seq) rows.set(item.id, item);
    }
    this.#assign(rows);
  }

  #assign(rows: ReadonlyMap<Id, Notification>): void {
    this.#rows = rows;
    this.#saving ??= setTimeout(() => {
      this.#saving = undefined;
      this.#save();
    }, SAVE_MS);
  }

  #save(): void {
    const items = [...this.#rows.values()].sort(newestFirst).slice(0, KEPT);
    this.#world.copies?.saveInbox({ items, unread: bell.unread });
  }

  async #recall(): Promise<void> {
    const copy = await this.#world.copies?.inbox();
    if (!copy || this.#progress.all) return;
    this.#recalled = true;
    this.#rows = new Map(copy.items.map((item) => [item.id, item]));
    if (this.#heard === 0) bell.unread = copy.unread;
  }
}

const isUrgent = (item: Notification, filter: InboxFilter) =>
  filter === 'all' && item.kind === 'mentioned' && item.read_at === null;
