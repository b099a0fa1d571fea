/**
 * Copies of what the server last said, to be on the screen before it answers again. They belong to one person, are
 * as true as the position they carry, and are forgotten with the right to see them.
 */
import type { Board, Comment, Id, Notification, ProjectWithRole, Task } from '../types';
import type { Disk } from './disk';
import type { Position } from './outbox';

/** A board is written this long after its last event at the latest; a crash costs no more than reading those again. */
const SAVE_MS = 1_000;

export interface TaskCopy {
  task: Task;
  comments: Comment[];
}

export interface InboxCopy {
  items: Notification[];
  unread: number;
}

export class Copies {
  readonly #disk: Disk;
  readonly #owner: string;
  readonly #waiting = new Map<Id, { board: Board; saved: () => void; timer: ReturnType<typeof setTimeout> }>();

  constructor(disk: Disk, owner: string) {
    this.#disk = disk;
    this.#owner = owner;
    globalThis.addEventListener?.('pagehide', () => void this.flush());
    globalThis.document?.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'hidden') void this.flush();
    });
  }

  board(project: Id): Promise<Board | null> {
    return this.#get<Board>(`${project}/board`);
  }

  /** Writes the board soon; `saved` is called once it, or a later one, is on the disk. */
  saveBoard(board: Board, saved: () => void = () => {}): void {
    const { id } = board.project;
    const before = this.#waiting.get(id);
    const timer = before?.timer ?? setTimeout(() => void this.#write(id), SAVE_MS);
    this.#waiting.set(id, { board, saved, timer });
  }

  /** Writes at once what waits; the page may be gone the next moment. */
  async flush(): Promise<void> {
    await Promise.all([...this.#waiting.keys()].map((id) => this.#write(id, { hurry: true })));
  }

  task(project: Id, task: Id): Promise<TaskCopy | null> {
    return this.#get<TaskCopy>(`${project}/task/${task}`);
  }

  saveTask(project: Id, copy: TaskCopy): void {
    void this.#put(`${project}/task/${copy.task.id}`, copy);
  }

  projects(): Promise<ProjectWithRole[] | null> {
    return this.#get<ProjectWithRole[]>('projects');
  }

  saveProjects(projects: readonly ProjectWithRole[]): void {
    void this.#put('projects', projects);
  }

  inbox(): Promise<InboxCopy | null> {
    return this.#get<InboxCopy>('inbox');
  }

  saveInbox(copy: InboxCopy): void {
    void this.#put('inbox', copy);
  }

  /** Everything of a project, when it is gone or closed to this person. */
  async forgetProject(project: Id): Promise<void> {
    this.#cancel(project);
    await this.#disk.clear('copies', `${this.#owner}/${project}/`);
    const rest = (await this.projects())?.filter(({ id }) => id !== project);
    if (rest) this.saveProjects(rest);
    const inbox = await this.inbox();
    if (inbox) this.saveInbox({ ...inbox, items: inbox.items.filter(({ project_id }) => project_id !== project) });
  }

  /** Everything of this person. */
  async forgetAll(): Promise<void> {
    for (const id of [...this.#waiting.keys()]) this.#cancel(id);
    await this.#disk.clear('copies', `${this.#owner}/`);
  }

  async #write(id: Id, { hurry = false } = {}): Promise<void> {
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    this.#cancel(id);
    const { board, saved } = waiting;
    // Another tab may be further. How far is kept beside the board: a large one takes long to be read.
    const stored = hurry ? null : await this.#get<Position>(`${id}/position`);
    const { epoch, seq } = board;
    if (stored?.epoch !== epoch || stored.seq < seq) {
      await Promise.all([this.#put(`${id}/board`, board), this.#put(`${id}/position`, { epoch, seq })]);
    }
    saved();
  }

  #cancel(id: Id): void {
    clearTimeout(this.#waiting.get(id)?.timer);
    this.#waiting.delete(id);
  }

  async #get<T>(name: string): Promise<T | null> {
    return ((await this.#disk.get('copies', `${this.#owner}/${name}`)) as T | undefined) ?? null;
  }

  #put(name: string, value: unknown): Promise<void> {
    return this.#disk.put('copies', `${this.#owner}/${name}`, value);
  }
}
