/** How many connections a server has and how much goes over them, looked at every two seconds while somebody looks. */
import type { SocketStats } from './types';

export const EVERY_MS = 2_000;
/** Five minutes of looks. */
const KEPT = 150;

export interface Sample {
  /** Milliseconds since 1970. */
  at: number;
  connections: number;
  /** Events delivered in a second; unknown at the first look and after a restart of the server. */
  events: number | null;
}

/** The sample that a look gives, beside the one before it. */
export function sampleOf(stats: SocketStats, at: number, last: { stats: SocketStats; at: number } | null): Sample {
  const restarted =
    last && (stats.uptime_s < last.stats.uptime_s || stats.events_delivered < last.stats.events_delivered);
  const seconds = last && !restarted ? stats.uptime_s - last.stats.uptime_s : 0;
  const events =
    last && seconds > 0
      ? Math.round(((stats.events_delivered - last.stats.events_delivered) / seconds) * 10) / 10
      : null;
  return { at, connections: stats.active_connections, events };
}

export class LiveNumbers {
  samples = $state.raw<readonly Sample[]>([]);
  stats = $state.raw<SocketStats | null>(null);
  error = $state.raw<unknown>(null);

  readonly #look: () => Promise<SocketStats>;
  readonly #now: () => number;
  #last: { stats: SocketStats; at: number } | null = null;
  #looking = false;

  constructor(look: () => Promise<SocketStats>, now: () => number = () => Date.now()) {
    this.#look = look;
    this.#now = now;
  }

  /** Looks now and again and again; a window nobody sees asks nothing. Returns what ends it. */
  start(): () => void {
    const turn = () => document.visibilityState !== 'hidden' && void this.look();
    turn();
    const timer = setInterval(turn, EVERY_MS);
    return () => clearInterval(timer);
  }

  async look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      const stats = await this.#look();
      const at = this.#now();
      this.samples = [...this.samples, sampleOf(stats, at, this.#last)].slice(-KEPT);
      this.stats = stats;
      this.#last = { stats, at };
      this.error = null;
    } catch (failure) {
      this.error = failure;
    } finally {
      this.#looking = false;
    }
  }
}
