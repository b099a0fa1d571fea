/** A board, a socket and a REST API made of nothing, for the tests of the store and of components. */
import { vi } from 'vitest';
import { BoardStore } from '../../src/lib/board/board.svelte';
import type { Surroundings } from '../../src/lib/board/board-parts';
import { Copies } from '../../src/lib/local/copies';
import { type Disk, Rough } from '../../src/lib/local/disk';
import { Outbox } from '../../src/lib/local/outbox';
import { Sender } from '../../src/lib/local/sender';
import type { Endpoints } from '../../src/lib/server/endpoints';
import type { Live, Message } from '../../src/lib/server/live';
import type { Board, BoardEvent, Card, Task } from '../../src/lib/types';

export const AT = '2026-11-22T10:00:00.000Z';

export function card(id: string, over: Partial<Card> = {}): Card {
  const number = Number(id.replace(/\D/g, '')) || 1;
  return {
    id,
    project_id: 'p',
    number,
    key: `WEB-${number}`,
    title: `Card ${id}`,
    status: 'todo',
    priority: 'none',
    label_ids: [],
    assignee_ids: [],
    due: null,
    checklist: [],
    position: `a${number}`,
    version: 1,
    comment_count: 0,
    created_by: 'anna',
    created_at: AT,
    updated_at: AT,
    deleted_at: null,
    archived_at: null,
    ...over,
  };
}

export const task = (id: string, over: Partial<Task> = {}): Task => ({ ...card(id, over), description: '', ...over });

export function board(over: Partial<Board> = {}): Board {
  const column = (key: string, name: string, position: string, is_done = false) => ({
    id: `c-${key}`,
    key,
    name,
    position,
    wip_limit: null,
    is_done,
  });
  const member = (user_id: string, name: string, role: 'owner' | 'editor') => ({
    user_id,
    name,
    avatar_color: '#1565c0',
    role,
    joined_at: AT,
  });
  return {
    epoch: 'e1',
    seq: 10,
    role: 'owner',
    project: {
      id: 'p',
      key: 'WEB',
      name: 'Сайт',
      description: '',
      visibility: 'private',
      version: 1,
      created_at: AT,
      updated_at: AT,
    },
    columns: [column('todo', 'To do', 'a0'), column('doing', 'Doing', 'a1'), column('done', 'Done', 'a2', true)],
    labels: [{ id: 'l1', name: 'bug', color: '#c62828' }],
    members: [member('anna', 'Анна', 'owner'), member('boris', 'Борис', 'editor')],
    tasks: [card('t1'), card('t2'), card('t3'), card('t4', { status: 'doing' })],
    ...over,
  };
}

export class FakeLive implements Live {
  state: Live['state'] = 'open';
  joins: Array<{ since?: unknown } | undefined> = [];
  left: string[] = [];
  cursorSet: unknown = null;
  joinedRoom = false;
  ping = async () => 5;
  presence = () => [];
  typing = vi.fn();
  viewing = vi.fn();
  readonly #handlers: Array<[string, (message: Message) => unknown]> = [];

  async joinProject(_project: string, options?: { since?: unknown }): Promise<never> {
    this.joins.push(options);
    this.joinedRoom = true;
    return undefined as never;
  }
  leaveProject(project: string): void {
    this.left.push(project);
  }
  cursor(): { epoch: string; seq: number } | null {
    return this.joinedRoom ? { epoch: 'e1', seq: 10 } : null;
  }
  setCursor(_project: string, cursor: unknown): void {
    this.cursorSet = cursor;
  }
  on(name: string, handler: (message: Message) => unknown): () => void {
    const entry: [string, (message: Message) => unknown] = [name, handler];
    this.#handlers.push(entry);
    return () => this.#handlers.splice(this.#handlers.indexOf(entry), 1);
  }
  emit(message: Message): void {
    for (const [name, handler] of [...this.#handlers]) {
      if (name === message.type || name === '*') handler({ project_id: 'p', ...message });
    }
  }
  enter(state: Live['state']): void {
    this.state = state;
    this.emit({ type: 'state', data: { state } });
  }
}

export function event(type: string, seq: number, data: object, over: Partial<BoardEvent> = {}): Message {
  return {
    type,
    project_id: 'p',
    seq,
    timestamp: AT,
    user_id: 'boris',
    op_id: null,
    data: { changes: [], ...data },
    ...over,
  };
}

/** The event of a task: flat, its id renamed. */
export function taskEvent(type: string, seq: number, whole: Task, over: Partial<BoardEvent> = {}): Message {
  const { id, ...rest } = whole;
  return event(type, seq, { task_id: id, ...rest }, over);
}

/** A promise somebody else settles. */
export function later<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

type Rest = {
  projects: Pick<Endpoints['projects'], 'board' | 'events'>;
  tasks: Endpoints['tasks'];
  comments: Endpoints['comments'];
};

export function fakeRest(now: () => Board = board) {
  const never = () => new Promise<never>(() => {});
  return {
    projects: {
      board: vi.fn<Rest['projects']['board']>(async () => structuredClone(now())),
      events: vi.fn<Rest['projects']['events']>(async () => ({ epoch: 'e1', seq: 10, items: [], next_since: null })),
    },
    tasks: {
      get: vi.fn<Rest['tasks']['get']>(async (id) => task(id)),
      create: vi.fn<Rest['tasks']['create']>(never),
      update: vi.fn<Rest['tasks']['update']>(never),
      move: vi.fn<Rest['tasks']['move']>(never),
      delete: vi.fn<Rest['tasks']['delete']>(never),
      restore: vi.fn<Rest['tasks']['restore']>(never),
      archive: vi.fn<Rest['tasks']['archive']>(never),
      activity: vi.fn<Rest['tasks']['activity']>(async () => ({ items: [], next_cursor: null })),
      unarchive: vi.fn<Rest['tasks']['unarchive']>(never),
    },
    comments: {
      list: vi.fn<Rest['comments']['list']>(async () => []),
      add: vi.fn<Rest['comments']['add']>(never),
      update: vi.fn<Rest['comments']['update']>(never),
      delete: vi.fn<Rest['comments']['delete']>(never),
      restore: vi.fn<Rest['comments']['restore']>(never),
    },
  };
}

/** What a device has, in memory and localStorage, with a sender of its own. */
export function fakeDevice(rest: unknown, user: string | null, disk: Disk = new Rough()) {
  if (user === null) return { copies: null, outbox: null };
  const outbox = new Outbox(disk, user);
  const world = { pause: async () => {}, now: () => Date.now(), offline: () => !navigator.onLine };
  const sender = new Sender(outbox, rest as Endpoints, world);
  outbox.wake = () => sender.wake();
  sender.start();
  return { copies: new Copies(disk, user), outbox, sender };
}

export async function openBoard(over: Partial<Surroundings> & { start?: Board; disk?: Disk } = {}) {
  const live = new FakeLive();
  const rest = fakeRest(() => over.start ?? board());
  const user = over.user === undefined ? 'anna' : over.user;
  const device = fakeDevice(over.rest ?? rest, user, over.disk);
  const store = new BoardStore('p', {
    rest: rest as unknown as Endpoints,
    live,
    user,
    device,
    soon: (draw) => draw(),
    ...over,
  });
  await store.open();
  return { store, live, rest, device };
}

/** Ids of the cards of a column, as shown. */
export const ids = (store: BoardStore, status: string) => (store.cards.get(status) ?? []).map(({ id }) => id);

/** Lets everything that is settled run. */
export const settled = () => new Promise((resolve) => setTimeout(resolve));
