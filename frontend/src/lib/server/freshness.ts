/**
 * How fresh a board honestly is: when the server was last heard, and how long a message and its answer take. A green dot
 * alone would be a claim; these are measurements.
 */
import type { Live } from './live';

/** A figure older than this is measured again while somebody looks at it. */
export const MEASURE_MS = 2_000;

export class Freshness {
  readonly #live: Live;
  readonly #now: () => number;
  readonly #stop: () => void;
  #heardAt: number | null = null;

  constructor(live: Live, now: () => number = () => performance.now()) {
    this.#live = live;
    this.#now = now;
    // The socket's own news are no sign of life of the server.
    this.#stop = live.on('*', ({ type }) => {
      if (type !== 'state' && type !== 'presence') this.#heardAt = this.#now();
    });
  }

  /** Milliseconds since the last message of the server; null before the first. */
  get silence(): number | null {
    return this.#heardAt === null ? null : this.#now() - this.#heardAt;
  }

  /** The round trip now, in milliseconds; null where there is no connection. */
  async measure(): Promise<number | null> {
    try {
      return Math.max(1, Math.round(await this.#live.ping()));
    } catch {
      return null;
    }
  }

  close(): void {
    this.#stop();
  }
}
