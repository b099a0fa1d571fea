/**
 * A socket of its own for measuring: it joins no room and asks for nothing, so what happens to it is the network's
 * doing. It answers the server's heartbeat, as every client must.
 */

export interface Welcome {
  heartbeat_s: number;
  server_time: string;
}

export interface Echo {
  /** There and back, in milliseconds. */
  ms: number;
  /** The server's clock less ours, in milliseconds. */
  skewMs: number;
}

export interface Cut {
  code: number;
  /** How long the socket had been open. */
  afterMs: number;
}

/** How long the server may take for its first word, and for an answer. */
const PATIENCE_MS = 10_000;

export class SocketProbe {
  /** Resolves once the connection is over, whoever ended it. */
  readonly cut: Promise<Cut>;
  /** Heartbeats heard so far. */
  heartbeats = 0;

  readonly #socket: WebSocket;
  readonly #welcomed: Promise<Welcome>;
  readonly #waiting = new Map<number, (serverTime: string) => void>();
  #openedAt = 0;
  #lastId = 0;

  constructor(url: string, token: string | null, make: (url: string, protocols: string[]) => WebSocket) {
    this.#socket = make(url, token ? ['timetodo.v1', `bearer.${token}`] : ['timetodo.v1']);
    let welcome: (value: Welcome) => void = () => {};
    let fail: (reason: unknown) => void = () => {};
    this.#welcomed = new Promise((resolve, reject) => {
      welcome = resolve;
      fail = reject;
    });
    this.#welcomed.catch(() => {});
    const timer = setTimeout(() => this.#socket.close(), PATIENCE_MS);
    this.cut = new Promise((resolve) => {
      this.#socket.onclose = ({ code }) => {
        clearTimeout(timer);
        fail(new SocketRefused(code));
        resolve({ code, afterMs: this.#openedAt ? performance.now() - this.#openedAt : 0 });
      };
    });
    this.#socket.onmessage = ({ data }) => {
      const message = JSON.parse(String(data));
      if (message.type === 'welcome') {
        clearTimeout(timer);
        this.#openedAt = performance.now();
        welcome(message.data);
      } else if (message.type === 'ping') {
        this.heartbeats++;
        this.#socket.send('{"type":"pong"}');
      } else if (message.type === 'pong') {
        this.#waiting.get(message.id)?.(message.data.server_time);
        this.#waiting.delete(message.id);
      }
    };
  }

  /** The server's first words. Throws `SocketRefused` where there are none. */
  welcome(): Promise<Welcome> {
    return this.#welcomed;
  }

  /** One ping of ours. Throws `SocketRefused` when the connection ends before the answer. */
  async echo(): Promise<Echo> {
    const id = ++this.#lastId;
    const begun = performance.now();
    const answered = new Promise<string>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.send(JSON.stringify({ type: 'ping', id }));
    const lost = this.cut.then(({ code }) => Promise.reject(new SocketRefused(code)));
    const serverTime = await Promise.race([answered, lost]);
    const ms = performance.now() - begun;
    return { ms, skewMs: Date.parse(serverTime) - (Date.now() - ms / 2) };
  }

  close(): void {
    this.#socket.close(1000);
  }
}

/** The connection ended with that code; 1006 is without a word. */
export class SocketRefused extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`the socket was closed with ${code}`);
    this.name = 'SocketRefused';
    this.code = code;
  }
}
