/**
 * What the home page shows: the open tasks assigned to the person, over all their projects, and who mentioned them.
 *
 * The lists follow the logs of those projects: an event that concerns them has them read again, soon and once for
 * many events. A task that was ticked off here stays, crossed out, until the person has moved on, and so does one
 * that left the list while it had the focus.
 */
import { attempt } from '../server/attempt';
import type { Endpoints } from '../server/endpoints';
import type { Live, Message } from '../server/live';
import type { Id, Mention, MyTask } from '../types';

export interface WorkRow {
  task: MyTask;
  /** Ticked off here, or gone from the list meanwhile. */
  left: boolean;
}

interface Surroundings {
  rest: Endpoints;
  live: Live;
  user: Id;
  /** The task whose row has the focus, which is not taken away under it. */
  focused: () => Id | null;
  /** Runs `work` a little later; tests run it at once. */
  later?: (work: () => void) => void;
}

const MENTIONS = 20;
/** Events of one moment are read once. */
const GATHER_MS = 250;
/** Rooms the page listens to; the server allows a connection 100. */
const ROOMS = 80;

export class MyWork {
  rows = $state.raw<WorkRow[] | null>(null);
  mentions = $state.raw<Mention[] | null>(null);
  error = $state.raw<unknown>(null);

  readonly #world: Surroundings;
  readonly #later: (work: () => void) => void;
  readonly #rooms = new Set<Id>();
  readonly #done = new Map<Id, string>();
  readonly #columns = new Map<Id, Promise<string | null>>();
  #stops: Array<() => void> = [];
  #waiting = false;
  #reading: Promise<void> | null = null;

  constructor(world: Surroundings) {
    this.#world = world;
    this.#later = world.later ?? ((work) => void setTimeout(work, GATHER_MS));
  }

  /** Reads both lists and follows. */
  start(): void {
    const { live } = this.#world;
    this.#stops = [
      live.on('*', (message) => this.#hear(message)),
      live.on('state', () => live.state === 'open' && this.#soon()),
    ];
    void this.load();
  }

  stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
    for (const room of this.#rooms) this.#world.live.leaveProject(room);
    this.#rooms.clear();
  }

  /** Follows the logs of these projects; one that another part of the page has left is joined again. */
  join(projects: readonly Id[]): void {
    for (const id of projects.slice(0, ROOMS)) {
      if (this.#rooms.has(id) && this.#world.live.cursor(id)) continue;
      this.#rooms.add(id);
      this.#world.live.joinProject(id).catch(() => {});
    }
  }

  /** Takes out the rows that stay only as long as somebody looks at them. */
  tidy(): void {
    const focused = this.#world.focused();
    this.rows = this.rows?.filter(({ left, task }) => !left || task.id === focused) ?? null;
  }

  load(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  /** Moves a task to its project's column for what is done, where it has one. A failure is told. */
  async finish(task: MyTask): Promise<'done' | 'no column' | 'failed'> {
    this.#done.set(task.id, task.status);
    this.#mark(task.id, true);
    let status: string | null = null;
    const moved = await attempt(async () => {
      status = await this.#doneColumn(task.project.id);
      if (status !== null) await this.#world.rest.tasks.move(task.id, { status }, {});
    });
    if (moved && status !== null) return 'done';
    this.#done.delete(task.id);
    this.#mark(task.id, false);
    return moved ? 'no column' : 'failed';
  }

  /** Puts a task that was ticked off here back where it was. */
  async reopen(task: MyTask): Promise<void> {
    const status = this.#done.get(task.id);
    if (status === undefined) return;
    if (!(await attempt(() => this.#world.rest.tasks.move(task.id, { status }, {})))) return;
    this.#done.delete(task.id);
    this.#mark(task.id, false);
    this.#soon();
  }

  /** The project's column for what is done, asked for once. */
  #doneColumn(project: Id): Promise<string | null> {
    let column = this.#columns.get(project);
    if (!column) {
      column = this.#world.rest.projects
        .board(project)
        .then(({ columns }) => columns.find(({ is_done }) => is_done)?.key ?? null);
      column.catch(() => this.#columns.delete(project));
      this.#columns.set(project, column);
    }
    return column;
  }

  #mark(id: Id, left: boolean): void {
    this.rows = this.rows?.map((row) => (row.task.id === id ? { ...row, left } : row)) ?? null;
  }

  async #read(): Promise<void> {
    this.error = null;
    try {
      const [tasks, mentions] = await Promise.all([
        this.#world.rest.me.tasks(),
        this.#world.rest.me.mentions(MENTIONS),
      ]);
      this.rows = this.#merge(tasks);
      this.mentions = mentions.items;
    } catch (failure) {
      this.error = failure;
    }
  }

  /** The new list, with what is to stay from the old one in its place. */
  #merge(tasks: MyTask[]): WorkRow[] {
    const present = new Set(tasks.map(({ id }) => id));
    for (const id of present) this.#done.delete(id);
    const rows: WorkRow[] = tasks.map((task) => ({ task, left: false }));
    const focused = this.#world.focused();
    (this.rows ?? []).forEach(({ task, left }, index) => {
      if (present.has(task.id)) return;
      const stays = (left && this.#done.has(task.id)) || task.id === focused;
      if (stays) rows.splice(Math.min(index, rows.length), 0, { task, left: true });
    });
    return rows;
  }

  #hear(message: Message): void {
    const { type, project_id, data } = message;
    if (type === 'resync' && this.#rooms.has(project_id as Id)) {
      // The lists are read whole, so the log goes on from its head.
      this.#world.live.setCursor(project_id as Id, { epoch: data.epoch, seq: data.seq });
      this.#soon();
    }
    if (type === 'project_left' && data?.reason === 'revoked') this.#soon();
    if (message.seq === undefined) return;
    if (type.startsWith('column_')) this.#columns.delete(project_id as Id);
    if (this.#concerns(type, (data ?? {}) as Record<string, unknown>)) this.#soon();
  }

  #concerns(type: string, data: Record<string, unknown>): boolean {
    const { user } = this.#world;
    const has = (list: unknown) => Array.isArray(list) && list.includes(user);
    if (type.startsWith('task_'))
      return has(data.assignee_ids) || (this.rows ?? []).some(({ task }) => task.id === data.task_id);
    if (type.startsWith('comment_')) {
      return has(data.mentions) || (this.mentions ?? []).some(({ id }) => id === data.comment_id);
    }
    return type.startsWith('column_') || type.startsWith('project_');
  }

  #soon(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    this.#later(async () => {
      // What is being read now may be older than the event.
      await this.#reading;
      this.#waiting = false;
      if (this.#stops.length > 0) await this.load();
    });
  }
}
