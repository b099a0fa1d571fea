/** What the task panel shows beyond the card: the description and the comments, kept current by the board's log. */
import type { BoardStore } from '../board/board.svelte';
import { type Change, isAbout } from '../board/changes';
import { opOf } from '../local/outbox';
import { ApiError, NetworkError } from '../server/errors';
import type { BoardEvent, Comment, Id, Task } from '../types';

/** Wait before it is read again where there was no network. */
const AGAIN_MS = 5_000;

export type TaskPhase = 'loading' | 'ready' | 'missing' | 'failed';
type OwnComment = Change & { kind: 'comment' };
type OwnPatch = Change & { kind: 'patch' };

export class TaskStore {
  readonly id: Id;
  phase = $state<TaskPhase>('loading');
  failure = $state.raw<unknown>(null);
  comments = $state.raw<Comment[]>([]);
  #task = $state.raw<Task | null>(null);
  /** Comments of ours that came back by the log, which may be a frame before the board drops them. */
  #returned = $state.raw<ReadonlySet<string>>(new Set());

  readonly #board: BoardStore;
  readonly #stop: () => void;
  /** Events that arrive while the task is being read, and are newer than the answer may be. */
  #meanwhile: BoardEvent[] | null = null;
  #again: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  /** The description on the screen: the last one sent from here, else the server's. */
  readonly description = $derived.by(() => {
    const sent = this.#own().filter((change): change is OwnPatch => change.kind === 'patch');
    const last = sent.findLast((change) => change.fields.description !== undefined);
    return last?.fields.description ?? this.#task?.description ?? '';
  });

  /** Comments on their way to the server. */
  readonly unsent = $derived.by(() =>
    this.#own().filter(
      (change, _index, all): change is OwnComment =>
        change.kind === 'comment' &&
        !this.#returned.has(change.op_id) &&
        all.findLast((other) => isAbout(other, change))?.kind !== 'comment-delete',
    ),
  );

  /** The comments with one's own changes of them, answered or not. */
  readonly shownComments = $derived.by(() => this.#own().reduce(withChange, this.comments));

  constructor(board: BoardStore, id: Id) {
    this.#board = board;
    this.id = id;
    this.#stop = board.follow((event) => {
      if (event) this.#onEvent(event);
      else void this.load();
    });
  }

  get version(): number | undefined {
    return this.#task?.version;
  }

  /** Reads it: first as this device knows it, then as the server does. */
  async load(): Promise<void> {
    const { tasks, comments } = this.#board.rest;
    const meanwhile: BoardEvent[] = [];
    this.#meanwhile = meanwhile;
    clearTimeout(this.#again);
    void this.#recall();
    try {
      const [task, list] = await Promise.all([tasks.get(this.id), comments.list(this.id)]);
      if (this.#meanwhile !== meanwhile) return;
      this.#task = task;
      this.comments = list;
      this.#meanwhile = null;
      for (const event of meanwhile) this.#onEvent(event);
      this.phase = 'ready';
      this.#keep();
    } catch (error) {
      this.failure = error;
      const missing = error instanceof ApiError && error.status === 404;
      if (this.phase !== 'ready') this.phase = missing ? 'missing' : 'failed';
      if (error instanceof NetworkError && !this.#closed) this.#again = setTimeout(() => void this.load(), AGAIN_MS);
    }
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#again);
    if (this.phase === 'ready') this.#keep();
    this.#stop();
  }

  async #recall(): Promise<void> {
    const copy = await this.#board.copies?.task(this.#board.id, this.id);
    if (!copy || this.#task) return;
    this.#task = copy.task;
    this.comments = copy.comments;
    this.phase = 'ready';
  }

  #keep(): void {
    if (!this.#task || this.#board.phase !== 'ready') return;
    this.#board.copies?.saveTask(this.#board.id, { task: this.#task, comments: [...this.comments] });
  }

  #own(): Change[] {
    return this.#board.pending.flatMap(({ change }) =>
      'task_id' in change && change.task_id === this.id ? [change] : [],
    );
  }

  #onEvent(event: BoardEvent): void {
    const { type, data, op_id } = event;
    if (data.task_id !== this.id) return;
    this.#meanwhile?.push(event);
    if (type.startsWith('task_')) {
      const { task_id, changes: _changes, ...task } = data;
      if ((data.version as number) >= (this.#task?.version ?? 0)) this.#task = { id: task_id, ...task } as Task;
    } else if (type.startsWith('comment_')) {
      const { comment_id: id, changes: _changes, comment_count: _count, ...rest } = data;
      const others = this.comments.filter((comment) => comment.id !== id);
      this.comments = type === 'comment_deleted' ? others : insert(others, { id, ...rest } as Comment);
      const op = opOf(op_id);
      if (op) this.#returned = new Set([...this.#returned, op]);
    }
  }
}

function withChange(comments: Comment[], change: Change): Comment[] {
  if (change.kind === 'comment-delete') return comments.filter(({ id }) => id !== change.comment_id);
  if (change.kind === 'comment-restore') {
    const { comment } = change;
    return !comment || comments.some(({ id }) => id === comment.id) ? comments : insert(comments, comment);
  }
  if (change.kind !== 'comment-edit') return comments;
  return comments.map((comment) =>
    comment.id === change.comment_id ? { ...comment, body: change.body, edited: true } : comment,
  );
}

/** Oldest first. */
function insert(comments: readonly Comment[], comment: Comment): Comment[] {
  return [...comments, comment].sort((a, b) => Date.parse(a.created_at) - Date.parse(b.created_at));
}
