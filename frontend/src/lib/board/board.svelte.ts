/**
 * One open project: what the log says, the person's own changes on top, and what the screen shows of both.
 *
 * It begins with the copy this device has, if any, and catches up from there by the log; where that is impossible the
 * board is read again. The truth (`#base`, `own`) changes with every event; the screen (`shown`) follows once a
 * frame, and not at all while something is dragged, so no remote event moves a card from under a finger.
 */

import type { Entry } from '../local/outbox';
import { OwnChanges } from '../local/own-changes.svelte';
import { waitBefore } from '../server/api';
import { ConnectionWatch } from '../server/connection.svelte';
import type { Endpoints } from '../server/endpoints';
import { SignedOutError } from '../server/errors';
import type { Live, Message, Online } from '../server/live';
import type { Board, BoardEvent, Card, Id, Label, Member } from '../types';
import {
  type BoardPhase,
  byColumn,
  isClosedTo,
  isNoId,
  type Listener,
  needsSignIn,
  PURGED_BY,
  type Surroundings,
} from './board-parts';
import { type Change, overlay } from './changes';
import { Commands } from './commands';
import { reduce } from './reducer';
import { Screen } from './screen';

const NONE: never[] = [];
/** A board from this device that is not live by then is read, for networks where sockets die. */
const STALE_MS = 5_000;
/** Wait before the board is read again where it could not be. */
const REREAD_MS = 5_000;

export class BoardStore {
  readonly id: Id;
  readonly user: Id | null;
  readonly rest: Endpoints;
  readonly live: Live;
  readonly commands: Commands;
  readonly connection: ConnectionWatch;

  /** The person's own changes: on their way, refused, in conflict. */
  readonly own: OwnChanges;

  /** The board on the screen. */
  shown = $state.raw<Board | null>(null);
  phase = $state<BoardPhase>('loading');
  failure = $state.raw<unknown>(null);
  online = $state.raw<Online[]>([]);

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

  readonly #screen: Screen;
  readonly #device: Surroundings['device'];
  readonly #stops: Array<() => void> = [];
  readonly #listeners = new Set<Listener>();
  #base: Board | null = null;
  #reading: Promise<void> | null = null;
  #again: ReturnType<typeof setTimeout> | undefined;
  #rejoining: ReturnType<typeof setTimeout> | undefined;
  /** How often in a row the room was refused though the project is not closed to this person. */
  #refusals = 0;
  #closed = false;

  constructor(id: Id, { rest, live, user, device, soon }: Surroundings) {
    this.id = id;
    this.user = user;
    this.rest = rest;
    this.live = live;
    this.#device = device;
    this.#screen = new Screen(() => this.#draw(), soon);
    this.own = new OwnChanges(id, user, device.outbox);
    this.commands = new Commands(this);
    this.connection = new ConnectionWatch(live, id);
  }

  get copies() {
    return this.#device.copies;
  }

  /** Own changes on their way, drawn over the board. */
  get pending() {
    return this.own.pending;
  }

  /** Shows the board and follows its log. */
  async open(): Promise<void> {
    this.#listen();
    this.phase = 'loading';
    const [copy] = await Promise.all([this.#device.copies?.board(this.id), this.#device.outbox?.ready]);
    if (this.#closed) return;
    if (copy) {
      this.#base = copy;
      this.connection.reached(copy.seq);
      this.#readIn(STALE_MS);
    } else {
      try {
        await this.#read();
      } catch (error) {
        this.failure = error;
        this.phase = isClosedTo(error) || isNoId(error) ? 'missing' : 'failed';
        return;
      }
    }
    if (this.#closed || !this.#base) return;
    this.phase = 'ready';
    this.#screen.now();
    this.#join();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#again);
    clearTimeout(this.#rejoining);
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
    if (this.#base) this.own.add(change, this.#base);
  }

  /** Sends a refused change once more. */
  retry(op: string): void {
    if (this.#base) this.own.retry(op, this.#base);
  }

  card(id: Id): Card | undefined {
    return this.shown?.tasks.find((card) => card.id === id);
  }

  /** Reads the board again where no event will tell of a change, since the socket is not there. */
  async refreshUnlessLive(): Promise<void> {
    if (this.connection.state !== 'live') await this.#read().catch(() => {});
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
    on('project_joined', () => {
      this.#refusals = 0;
    });
    on('project_left', ({ data }) => {
      if (PURGED_BY.has(data.reason)) this.#left(true);
      else this.#rejoining = setTimeout(() => this.#rejoin(), waitBefore(this.#refusals++, null));
    });
    this.#stops.push(this.own.follow((entries) => this.#onOwn(entries)));
    this.#stops.push(this.live.on('state', () => this.#rejoin()));
  }

  /** The client has forgotten its rooms after a new sign-in, and this one where the server would not have it. */
  #rejoin(): void {
    clearTimeout(this.#rejoining);
    if (this.live.state === 'open' && this.phase === 'ready' && !this.live.cursor(this.id)) this.#join();
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
    this.own.hear(event);
    for (const listener of this.#listeners) listener(event);
    if (this.#base.project.deleted) this.#left(true);
    else {
      this.#keep();
      this.#screen.soon();
    }
  }

  /** The log could not be followed: the board as it is now, then on from there. */
  async #readAndResume(): Promise<void> {
    try {
      await this.#read();
    } catch (error) {
      if (isClosedTo(error)) this.#left(!needsSignIn(error));
      else if (!(error instanceof SignedOutError)) this.#readIn(REREAD_MS);
      return;
    }
    if (!this.#base || this.#closed) return;
    const { epoch, seq } = this.#base;
    this.live.setCursor(this.id, { epoch, seq });
  }

  /** Reads the board in a while, unless it is live by then. */
  #readIn(ms: number): void {
    clearTimeout(this.#again);
    this.#again = setTimeout(() => {
      if (this.connection.state !== 'live') void this.#readAndResume();
    }, ms);
  }

  #read(): Promise<void> {
    this.#reading ??= this.#readNow().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #readNow(): Promise<void> {
    // Whatever was accepted before the reading begins is in it.
    const known = this.own.accepted();
    const board = await this.rest.projects.board(this.id);
    this.own.show(known);
    if (this.#base?.epoch === board.epoch && this.#base.seq > board.seq) return;
    this.#base = board;
    this.connection.reached(board.seq, { whole: true });
    this.#keep();
    void this.copies?.flush();
    for (const listener of this.#listeners) listener(null);
    this.#screen.now();
  }

  #keep(): void {
    if (this.#base && !this.#closed) this.#device.copies?.saveBoard(this.#base, this.own.stored);
  }

  #onOwn(entries: readonly Entry[]): void {
    if (this.phase !== 'ready') return;
    this.#screen.now();
    for (const { state, change } of entries) {
      if (state === 'failed' || state === 'conflict') this.commands.history.forget(change.op_id);
    }
    // No event will tell where the socket is not there.
    const accepted = entries.some(({ state }) => state === 'accepted');
    if (accepted && this.connection.state !== 'live') this.#readIn(REREAD_MS);
  }

  /** @param purge nothing of the project may stay on this device */
  #left(purge: boolean): void {
    if (purge) {
      void this.#device.copies?.forgetProject(this.id);
      this.own.discardAll();
    }
    this.#base = null;
    this.phase = 'left';
    this.#screen.now();
  }

  #draw(): void {
    if (this.#base) this.own.settle(this.#base);
    this.shown = this.#base && overlay(this.#base, this.own.drawn, this.user);
  }
}
