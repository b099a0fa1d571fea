/** The interface of websocket.js, which `tsc` checks against it. The guide is docs/client.md. */

/** A position in a project's log: which life of the log, and the number of its last event applied. */
export interface Cursor {
  epoch: string;
  seq: number;
}

/** A user in a project's room. `devices` counts tabs too; `viewing` is the task looked at. */
export interface Online {
  user_id: string;
  name: string;
  devices?: number;
  viewing?: string | null;
}

/** The server's answer to a join. `seq` is the head of the log at that moment. */
export interface Joined extends Cursor {
  /** True: everything after `since` follows. False: it cannot, see `reason`. Null: no `since` was given. */
  recovered: boolean | null;
  reason?: string | null;
  /** How many events are replayed. */
  replay?: number;
  role: string | null;
  online: Online[];
}

/** The server's answer to `joinUser`. */
export interface JoinedUser extends Omit<Joined, 'role' | 'online'> {
  /** How many notifications are unread. */
  unread: number;
}

/** Everything a handler gets; docs/protocol.md says what each `data` holds. */
export interface Message {
  type: string;
  // biome-ignore lint/suspicious/noExplicitAny: it depends on the type, and servers newer than this file add to it.
  data: any;
  project_id?: string;
  /** Present on durable events: 1, 2, 3 … in each project. */
  seq?: number;
  timestamp?: string;
  /** Who did it; null: the system. */
  user_id?: string | null;
  /** The Idempotency-Key of the REST call that caused it. */
  op_id?: string | null;
  id?: string | number;
}

export type Handler = (message: Message) => unknown;

/** `idle` before the first connect, `waiting` between two tries, `closed` after disconnect or a final refusal. */
export type State = 'idle' | 'connecting' | 'open' | 'waiting' | 'closed';

/**
 * Gives the access token; asked before every dial and, with `expired`, when the last one has run out or will within
 * a minute. Null connects without signing in. A rejection counts as a failed try.
 */
export type TokenSource = (about: { expired: boolean }) => string | null | Promise<string | null>;

export interface Options {
  /** The server (`https://todo.example.org`) or its socket (`wss://…/api/v1/ws`). Default: where the module is from. */
  url?: string | undefined;
  token?: string | null | TokenSource | undefined;
  /** False keeps `wsClient` from connecting by itself when the page has loaded. */
  autoconnect?: boolean | undefined;
  /** What the client takes from its surroundings; for tests. Default: globalThis. */
  platform?: Platform | undefined;
}

export interface Platform {
  WebSocket: new (url: URL, protocols: string[]) => WebSocket;
  setTimeout(run: () => void, ms: number): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: a number in browsers, an object in Node.
  clearTimeout(timer: any): void;
  performance: { now(): number };
  Math: { random(): number };
  console: { error(...what: unknown[]): void };
  document?: { visibilityState: string };
  addEventListener?(name: string, handler: () => void): void;
}

export interface Client {
  readonly state: State;
  /** Connects and stays connected; does nothing but `configure` while connecting or open. */
  connect(options?: Options): void;
  /** Sets options for the next dial. */
  configure(options?: Options): void;
  /** Closes. Joined projects and their cursors are kept for the next `connect`. */
  disconnect(): void;
  /**
   * Follows a project from now on, or without a gap from `since`, the position of a board that was read.
   * The room is joined again after every reconnect. Rejects, with `code`, when the server refuses.
   */
  joinProject(projectId: string, options?: { since?: Cursor | null | undefined }): Promise<Joined>;
  leaveProject(projectId: string): void;
  /**
   * Follows one's own log, which tells of one's notifications as `notification` events, like a project's. Its id for
   * `cursor` and `setCursor` is `user`; its `resync` has no `project_id`.
   */
  joinUser(options?: { since?: Cursor | null | undefined }): Promise<JoinedUser>;
  /** The last event applied; null when not joined, or while a `resync` waits for `setCursor`. */
  cursor(projectId: string): Cursor | null;
  /** Says that the application's copy is true at this position; events go on from there. */
  setCursor(projectId: string, cursor: Cursor): void;
  /** Handles a group, a type, `state`, `presence` or `*` (everything). Returns the function that stops it. */
  on(name: string, handler: Handler): () => void;
  /** The users online in a joined project. */
  presence(projectId: string): Online[];
  /** Shows others that the user is typing, a comment unless said otherwise; may be called at every key. */
  typing(projectId: string, taskId: string, field?: 'comment' | 'description' | 'title'): void;
  /** Shows others which task the user looks at. */
  viewing(projectId: string, taskId: string | null): void;
  /** Resolves with the round trip in milliseconds; rejects when not connected. */
  ping(): Promise<number>;
}

export function createClient(options?: Options): Client;

/** The page's own client: connects by itself when the page has loaded. */
export const wsClient: Client;
