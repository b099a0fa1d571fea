/**
 * The leading tab's end of the shared connection: one client for all tabs, and for each project they follow the
 * recent tail of its log, so that a tab that joins or missed something is helped without the server where possible.
 *
 * It keeps no order of its own: tabs check every `seq`, as any client does, and drop what they have.
 */
import type { Client, Cursor, Message } from '$client';
import type { Id } from '../types';

/** What a tab asks of the hub. */
export type Ask =
  | { ask: 'join'; project: Id; since: Cursor | null }
  | { ask: 'leave'; project: Id }
  | { ask: 'user' }
  | { ask: 'viewing'; project: Id; task: Id | null }
  | { ask: 'typing'; typed: Parameters<Client['typing']> }
  | { ask: 'ping'; id: number }
  | { ask: 'state' }
  | { ask: 'connect' };

/** What the hub tells a tab. */
export type Told = { told: Message } | { pong: number; ms: number | null };

export type SharedClient = Pick<
  Client,
  | 'state'
  | 'connect'
  | 'disconnect'
  | 'joinProject'
  | 'joinUser'
  | 'leaveProject'
  | 'cursor'
  | 'setCursor'
  | 'presence'
  | 'typing'
  | 'viewing'
  | 'ping'
  | 'on'
>;

/** As many events as the server replays at most. */
const TAIL = 1_000;

interface Room {
  /** Who follows it, and what they look at; the last is who looked last. */
  tabs: Map<string, Id | null>;
  tail: Message[];
  /** The server has answered the join on this connection. */
  joined: boolean;
}

export class Hub {
  readonly #client: SharedClient;
  readonly #tell: (told: Told, to: string | null) => void;
  readonly #rooms = new Map<Id, Room>();
  readonly #stop: () => void;

  constructor(client: SharedClient, tell: (told: Told, to: string | null) => void) {
    this.#client = client;
    this.#tell = tell;
    this.#stop = client.on('*', (message) => this.#hear(message));
  }

  receive(tab: string, ask: Ask): void {
    if (ask.ask === 'join') this.#join(tab, ask.project, ask.since);
    else if (ask.ask === 'leave') this.#leave(tab, ask.project);
    else if (ask.ask === 'user') this.#joinUser();
    else if (ask.ask === 'viewing') this.#view(tab, ask.project, ask.task);
    else if (ask.ask === 'typing') this.#client.typing(...ask.typed);
    else if (ask.ask === 'connect') this.#client.connect();
    else if (ask.ask === 'state') this.#greet(tab);
    else if (ask.ask === 'ping') {
      const answer = (ms: number | null) => this.#tell({ pong: ask.id, ms }, tab);
      this.#client.ping().then(answer, () => answer(null));
    }
  }

  /** The tab is closed. */
  gone(tab: string): void {
    for (const project of [...this.#rooms.keys()]) this.#leave(tab, project);
  }

  close(): void {
    this.#stop();
    for (const project of this.#rooms.keys()) this.#client.leaveProject(project);
    this.#rooms.clear();
    this.#client.disconnect();
  }

  #greet(tab: string): void {
    this.#tell({ told: { type: 'state', data: { state: this.#client.state } } }, tab);
  }

  #join(tab: string, project: Id, since: Cursor | null): void {
    const room = this.#rooms.get(project) ?? { tabs: new Map(), tail: [], joined: false };
    const isNew = !this.#rooms.has(project);
    this.#rooms.set(project, room);
    if (!room.tabs.has(tab)) room.tabs.set(tab, null);
    this.#client.connect();
    const cursor = this.#client.cursor(project);
    const behind = since && cursor && since.epoch === cursor.epoch && since.seq < cursor.seq;
    if (isNew || !cursor) this.#follow(project, since);
    else if (!room.joined) {
      // Whoever is furthest behind decides from where the server replays.
      if (since && (behind || since.epoch !== cursor.epoch)) this.#follow(project, since);
    } else if (behind && !covers(room, since.seq)) {
      room.tail = [];
      this.#client.setCursor(project, since);
    } else this.#catchUp(tab, project, room, since, cursor);
  }

  /** The person's own stream: all tabs hear it. What one has missed before it listened, it reads from the server. */
  #joinUser(): void {
    this.#client.connect();
    this.#client.joinUser().catch(() => {
      // Nobody is signed in any more; the tabs hear of that otherwise.
    });
  }

  /** What the server need not be asked for. */
  #catchUp(tab: string, project: Id, room: Room, since: Cursor | null, cursor: Cursor): void {
    const data = { ...cursor, recovered: since ? true : null, role: null, online: this.#client.presence(project) };
    this.#tell({ told: { type: 'project_joined', project_id: project, data } }, tab);
    if (since?.epoch !== cursor.epoch) return;
    for (const event of room.tail) if ((event.seq ?? 0) > since.seq) this.#tell({ told: event }, tab);
  }

  #follow(project: Id, since: Cursor | null): void {
    this.#client.joinProject(project, { since }).catch(() => {
      // The tabs hear of it by project_left.
    });
  }

  #leave(tab: string, project: Id): void {
    const room = this.#rooms.get(project);
    if (!room?.tabs.delete(tab)) return;
    if (room.tabs.size > 0) this.#client.viewing(project, viewedIn(room));
    else {
      this.#rooms.delete(project);
      this.#client.leaveProject(project);
    }
  }

  #view(tab: string, project: Id, task: Id | null): void {
    const room = this.#rooms.get(project);
    if (!room) return;
    room.tabs.delete(tab);
    room.tabs.set(tab, task);
    this.#client.viewing(project, viewedIn(room));
  }

  #hear(message: Message): void {
    const { type, project_id, seq, data } = message;
    if (type === 'ping' || type === 'pong') return;
    // The answer to leaving, which may come when a tab has joined again: nobody lost anything.
    if (type === 'project_left' && data.reason === 'left') return;
    const room = project_id === undefined ? undefined : this.#rooms.get(project_id);
    if (type === 'state') this.#onState(data);
    if (room && seq !== undefined) append(room, message);
    if (room && type === 'project_joined') room.joined = true;
    this.#tell({ told: message }, null);
    if (!room || project_id === undefined) return;
    if (type === 'resync') {
      // Each tab reads the board for itself and asks for what came after; the client need not wait for them.
      room.tail = [];
      this.#client.setCursor(project_id, { epoch: data.epoch, seq: data.seq });
    }
    if (type === 'project_left') this.#rooms.delete(project_id);
  }

  #onState({ state, code }: { state: string; code?: number }): void {
    if (state !== 'open') for (const room of this.#rooms.values()) room.joined = false;
    if (state === 'closed' && code === 4410) this.#rooms.clear();
  }
}

const viewedIn = (room: Room) => [...room.tabs.values()].findLast((task) => task !== null) ?? null;

/** Whether the tail has every event after `seq`. */
const covers = ({ tail }: Room, seq: number) => tail[0]?.seq !== undefined && tail[0].seq <= seq + 1;

function append(room: Room, event: Message): void {
  if (room.tail.at(-1)?.seq !== (event.seq ?? 0) - 1) room.tail = [];
  room.tail.push(event);
  if (room.tail.length > TAIL) room.tail.shift();
}
