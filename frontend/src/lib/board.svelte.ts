/**
 * One open project: what the log says, the person's own changes on top, and what the screen shows of both.
 *
 * The truth (`#base`, `#pending`) changes with every event; the screen (`shown`) follows once a frame, and not at all
 * while something is dragged, so no remote event moves a card from under a finger. After an interruption the client
 * resumes from its cursor; where that is impossible the board is read again.
 */
import { type BoardPhase, byColumn, type Conflict, type Listener, type Surroundings } from './board-parts';
import { type Change, isSettled, overlay, type Pending } from './changes';
import { Commands } from './commands';
import { ConnectionWatch } from './connection.svelte';
import type { Endpoints } from './endpoints';
import { ApiError, isPassing } from './errors';
import type { Live, Message, Online } from './live';
import { conflictOf, mergeLists } from './merge';
import { Outbox, opOf } from './outbox';
import { reduce, toCard } from './reducer';
import { Screen } from './screen';
import type { Board, BoardEvent, Card, Id, Label, Member, Task } from './types';

const NONE: never[] = [];

export class BoardStore {
  readonly id: Id;
  readonly user: Id | null;
  readonly rest: Endpoints;
  readonly live: Live;
  readonly commands: Commands;
  readonly connection: ConnectionWatch;

  /** The board on the screen. */
  shown = $state.raw<Board | null>(null);
  pending = $state.raw<readonly Pending[]>([]);
  phase = $state<BoardPhase>('loading');
  failure = $state.raw<unknown>(null);
  online = $state.raw<Online[]>([]);
  conflicts = $state.raw<Conflict[]>([]);

  readonly role = $derived(
    this.shown?.members.find((member) => member.user_id === this.user)?.role ?? this.shown?.role ?? null,
  );
  readonly cards = $derived(byColumn(this.shown));
  // In two steps: a list an event left alone is the same object, and then nothing that hangs on it is drawn again.
  readonly columns = $derived(this.shown?.columns ?? NONE);
  readonly #labelList = $derived(this.shown?.labels ?? NONE);
  readonly #memberList = $derived(this.shown?.members ?? NONE);
  readonly labels = $derived(new Map<Id, Label>(this.#labelList.map((label) => [label.id, label])));
  readonly members = $derived(new Map<Id, Member>(this.#memberList.map((member) => [member.user_id, member])));

  readonly #onRefused: Surroundings['onRefused'];
  readonly #screen: Screen;
  readonly #outbox: Outbox | null;
  readonly #stops: Array<() => void> = [];
  readonly #listeners = new Set<Listener>();
  #base: Board | null = null;
  #pending: Pending[] = [];
  #reading: Promise<void> | null = null;
  #closed = false;

  constructor(id: Id, { rest, live, user, onRefused, soon }: Surroundings) {
    this.id = id;
    this.user = user;
    this.rest = rest;
    this.live = live;
    this.#onRefused = onRefused;
    this.#screen = new Screen(() => this.#draw(), soon);
    this.#outbox = user
      ? new Outbox(rest, id, user, {
          accepted: (change, task) => this.#accepted(change, task),
          refused: (change, error) => this.#refused(change, error),
        })
      : null;
    this.commands = new Commands(this);
    this.connection = new ConnectionWatch(live, id);
  }

  /** Reads the board and follows its log. */
  async open(): Promise<void> {
    this.#listen();
    this.phase = 'loading';
    try {
      await this.#read();
    } catch (error) {
      this.failure = error;
      this.phase = error instanceof ApiError && [401, 403, 404].includes(error.status) ? 'missing' : 'failed';
      return;
    }
    if (this.#closed || !this.#base) return;
    this.#pending = (this.#outbox?.adopt() ?? []).map((change) => ({ change }));
    this.phase = 'ready';
    this.#screen.now();
    this.#join();
  }

  close(): void {
    this.#closed = true;
    this.#outbox?.close();
    this.connection.close();
    for (const stop of this.#stops.splice(0)) stop();
    this.live.leaveProject(this.id);
  }

  follow(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Keeps the screen as it is until the returned function is called, e.g. during a drag. */
  hold(): () => void {
    return this.#screen.hold();
  }

  /** Draws the change at once and queues it. */
  change(change: Change): void {
    if (!this.#outbox) return;
    this.#pending.push({ change });
    this.#screen.now();
    this.#outbox.add(change);
  }

  card(id: Id): Card | undefined {
    return this.shown?.tasks.find((card) => card.id === id);
  }

  /** Reads the board again where no event will tell of a change, since the socket is not there. */
  async refreshUnlessLive(): Promise<void> {
    if (this.connection.state !== 'live') await this.#read().catch(() => {});
  }

  settleConflict(conflict: Conflict, keepMine: boolean): void {
    this.conflicts = this.conflicts.filter((other) => other !== conflict);
    const { change, current } = conflict;
    if (keepMine) this.commands.patch(change.task_id, change.fields, current.version);
  }

  #listen(): void {
    if (this.#stops.length > 0) return;
    const on = (name: string, handler: (message: Message) => void) =>
      this.#stops.push(this.live.on(name, (message) => message.project_id === this.id && handler(message)));
    on('*', (message) => {
      if (message.seq !== undefined) this.#apply(message as unknown as BoardEvent);
    });
    on('resync', () => void this.#readAndResume());
    on('presence', (message) => {
      this.online = message.data.online;
    });
    on('project_left', () => this.#left());
    // After a new sign-in the client has forgotten its rooms.
    const rejoin = () => {
      if (this.live.state === 'open' && this.phase === 'ready' && !this.live.cursor(this.id)) this.#join();
    };
    this.#stops.push(this.live.on('state', rejoin));
  }

  #join(): void {
    if (!this.#base) return;
    const { epoch, seq } = this.#base;
    this.live.joinProject(this.id, { since: { epoch, seq } }).catch(() => {
      // A refusal also arrives as project_left; a lost connection is tried again by the client.
    });
  }

  #apply(event: BoardEvent): void {
    if (!this.#base) return;
    this.#base = reduce(this.#base, event);
    this.connection.reached(this.#base.seq);
    const op = opOf(event.op_id);
    this.#pending = this.#pending.filter((item) => item.change.op_id !== op);
    this.#settle();
    for (const listener of this.#listeners) listener(event);
    if (this.#base.project.deleted) this.#left();
    else this.#screen.soon();
  }

  /** The log could not be followed: the board as it is now, then on from there. */
  async #readAndResume(): Promise<void> {
    try {
      await this.#read();
    } catch (error) {
      // Without an answer the client asks for it again at its next heartbeat.
      if (!isPassing(error)) this.#left();
      return;
    }
    if (!this.#base) return;
    const { epoch, seq } = this.#base;
    this.live.setCursor(this.id, { epoch, seq });
  }

  #read(): Promise<void> {
    this.#reading ??= this.#readNow().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #readNow(): Promise<void> {
    const known = this.#pending.filter((item) => item.accepted);
    const board = await this.rest.projects.board(this.id);
    // Whatever was accepted before the reading began is in it.
    this.#pending = this.#pending.filter((item) => !known.includes(item));
    if (this.#base?.epoch === board.epoch && this.#base.seq > board.seq) return;
    this.#base = board;
    this.connection.reached(board.seq, { whole: true });
    this.#settle();
    for (const listener of this.#listeners) listener(null);
    this.#screen.now();
  }

  #accepted(change: Change, task: Task | null): void {
    const item = this.#pending.find((other) => other.change.op_id === change.op_id);
    if (!item) return;
    item.accepted = true;
    if (task) item.answer = toCard(task);
    this.#settle();
    this.#screen.soon();
  }

  #refused(change: Change, error: unknown): void {
    this.#pending = this.#pending.filter((item) => item.change.op_id !== change.op_id);
    const conflict = error instanceof ApiError && change.kind === 'patch' ? conflictOf(error) : null;
    if (conflict && change.kind === 'patch') {
      const merged = mergeLists(change.fields, conflict);
      if (merged) {
        this.commands.patch(change.task_id, merged, conflict.current.version);
        return;
      }
      this.conflicts = [...this.conflicts, { ...conflict, change }];
    }
    this.#screen.now();
    this.#onRefused(change, error, 'task_id' in change ? this.card(change.task_id) : undefined);
  }

  #settle(): void {
    const base = this.#base;
    if (base) this.#pending = this.#pending.filter((item) => !isSettled(base, item));
  }

  #left(): void {
    this.#base = null;
    this.#pending = [];
    this.phase = 'left';
    this.#screen.now();
  }

  #draw(): void {
    this.pending = [...this.#pending];
    this.shown = this.#base && overlay(this.#base, this.#pending, this.user);
  }
}
