/**
 * The connection as one tab has it: its own, or that of the tab that leads. Boards cannot tell which.
 *
 * Every project it follows is a cursor in the log: the next event is handed on, an old one dropped, and one that
 * leaves a gap makes it ask again from the cursor. So it does not matter who leads, who did before, or what was lost
 * between them.
 */
import type { Cursor, Joined, Message, Online } from '$client';
import type { Live } from '../server/live';
import type { Id } from '../types';
import type { Ask, Told } from './hub';

type Handler = (message: Message) => unknown;

interface Room {
  /** Of the last event handed on; null before the first join has been answered, and while `lost`. */
  cursor: Cursor | null;
  /** A resync waits for setCursor. */
  lost: boolean;
  /** The position a gap was last asked for at. */
  asked: number;
  viewing: Id | null;
  online: Online[];
  waiting: Array<{ resolve: (joined: Joined) => void; reject: (error: Error) => void }>;
}

export class SharedLive implements Live {
  state: Live['state'] = 'idle';
  /** Carries a question to whoever leads. */
  ask: (ask: Ask) => void = () => {};

  readonly #rooms = new Map<Id, Room>();
  readonly #handlers = new Set<[string, Handler]>();
  readonly #pings = new Map<number, { resolve: (ms: number) => void; reject: (error: Error) => void }>();
  #lastPing = 0;
  #user = false;

  /** Joining connects, too; this is for after a new sign-in. */
  connect(): void {
    this.ask({ ask: 'connect' });
  }

  joinProject(project: Id, { since = null }: { since?: Cursor | null | undefined } = {}): Promise<Joined> {
    const room = this.#rooms.get(project) ?? newRoom();
    this.#rooms.set(project, room);
    if (since) {
      room.cursor = { ...since };
      room.lost = false;
    }
    const joined = new Promise<Joined>((resolve, reject) => room.waiting.push({ resolve, reject }));
    joined.catch(() => {}); // nobody has to look
    this.ask({ ask: 'join', project, since });
    return joined;
  }

  /** Follows the person's own stream from now on. */
  joinUser(): void {
    this.#user = true;
    this.ask({ ask: 'user' });
  }

  leaveProject(project: Id): void {
    if (this.#rooms.delete(project)) this.ask({ ask: 'leave', project });
  }

  cursor(project: Id): Cursor | null {
    return this.#rooms.get(project)?.cursor ?? null;
  }

  setCursor(project: Id, cursor: Cursor): void {
    const room = this.#rooms.get(project);
    if (!room) return;
    room.cursor = { ...cursor };
    room.lost = false;
    room.asked = -1;
    this.ask({ ask: 'join', project, since: { ...cursor } });
  }

  presence(project: Id): Online[] {
    return this.#rooms.get(project)?.online ?? [];
  }

  typing(...typed: Parameters<Live['typing']>): void {
    this.ask({ ask: 'typing', typed });
  }

  viewing(project: Id, task: Id | null): void {
    const room = this.#rooms.get(project);
    if (room) room.viewing = task;
    this.ask({ ask: 'viewing', project, task });
  }

  ping(): Promise<number> {
    const id = ++this.#lastPing;
    return new Promise((resolve, reject) => {
      this.#pings.set(id, { resolve, reject });
      this.ask({ ask: 'ping', id });
    });
  }

  on(name: string, handler: Handler): () => void {
    const entry: [string, Handler] = [name, handler];
    this.#handlers.add(entry);
    return () => this.#handlers.delete(entry);
  }

  /** Somebody else leads now, or this tab does: they learn where this one stands. */
  introduce(): void {
    for (const { reject } of this.#pings.values()) reject(new Error('not connected'));
    this.#pings.clear();
    this.ask({ ask: 'state' });
    if (this.#user) this.ask({ ask: 'user' });
    for (const [project, room] of this.#rooms) {
      room.asked = -1;
      this.ask({ ask: 'join', project, since: room.cursor && { ...room.cursor } });
      if (room.viewing) this.ask({ ask: 'viewing', project, task: room.viewing });
    }
  }

  hear(told: Told): void {
    if ('told' in told) this.#message(told.told);
    else this.#pong(told.pong, told.ms);
  }

  #pong(id: number, ms: number | null): void {
    const ping = this.#pings.get(id);
    this.#pings.delete(id);
    if (ms === null) ping?.reject(new Error('not connected'));
    else ping?.resolve(ms);
  }

  #message(message: Message): void {
    const { type, project_id, seq, data } = message;
    if (type === 'state') this.#enter(data);
    const room = project_id === undefined ? undefined : this.#rooms.get(project_id);
    if (project_id === undefined) this.#emit(message);
    else if (!room) return;
    else if (seq !== undefined) this.#event(room, project_id, message);
    else if (type === 'resync') this.#resync(room, message);
    else this.#aboutRoom(room, project_id, message);
  }

  #aboutRoom(room: Room, project: Id, message: Message): void {
    const { type, data } = message;
    if (data.online) room.online = data.online;
    if (type === 'project_left') this.#forget(project, room, data.reason);
    this.#emit(message);
    if (type === 'project_joined') this.#joined(room, project, data);
  }

  #joined(room: Room, project_id: Id, data: Joined): void {
    this.#emit({ type: 'presence', project_id, data: { online: room.online } });
    for (const { resolve } of room.waiting.splice(0)) resolve(data);
    if (room.cursor && room.cursor.epoch !== data.epoch) {
      this.#resync(room, { type: 'resync', project_id, data: { ...data, reason: 'epoch_changed' } });
    }
    if (!room.lost) room.cursor ??= { epoch: data.epoch, seq: data.seq };
  }

  #event(room: Room, project: Id, event: Message): void {
    const { cursor } = room;
    const seq = event.seq as number;
    if (!cursor || seq <= cursor.seq) return;
    if (seq === cursor.seq + 1) {
      this.#emit(event);
      // Not a cursor that a handler has set.
      if (room.cursor === cursor) cursor.seq = seq;
    } else if (room.asked !== cursor.seq) {
      room.asked = cursor.seq;
      this.ask({ ask: 'join', project, since: { ...cursor } });
    }
  }

  /** The log cannot be followed; unless it was another tab that could not. */
  #resync(room: Room, message: Message): void {
    const { epoch, seq } = message.data;
    if (!room.cursor || (room.cursor.epoch === epoch && room.cursor.seq >= seq)) return;
    room.cursor = null;
    room.lost = true;
    this.#emit(message);
  }

  #enter({ state, code }: { state: Live['state']; code?: number }): void {
    this.state = state;
    if (state === 'closed' && code === 4410) {
      for (const [project, room] of [...this.#rooms]) this.#forget(project, room, code);
    }
  }

  #forget(project: Id, room: Room, code: unknown): void {
    this.#rooms.delete(project);
    for (const { reject } of room.waiting)
      reject(Object.assign(new Error(`project ${project}: access lost`), { code }));
  }

  #emit(message: Message): void {
    for (const [name, handler] of [...this.#handlers]) {
      if (name !== message.type && name !== '*') continue;
      try {
        handler(message);
      } catch (error) {
        // One handler that fails must not keep the event from the others.
        reportError(error);
      }
    }
  }
}

const newRoom = (): Room => ({ cursor: null, lost: false, asked: -1, viewing: null, online: [], waiting: [] });
