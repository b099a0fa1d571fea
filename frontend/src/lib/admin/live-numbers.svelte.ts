/** How many connections the servers have and how much goes over them, looked at every two seconds while somebody looks. */
import type { SocketNumbers, SocketStats } from '../types';

export const EVERY_MS = 2_000;
/** Five minutes of looks. */
const KEPT = 150;
/** Looks that the rate of several servers is taken over: about ten seconds. */
const RATE_LOOKS = 5;

export interface Sample {
  /** Milliseconds since 1970. */
  at: number;
  connections: number;
  /** Events delivered in a second; unknown at the first look and after a restart of the server. */
  events: number | null;
}

interface Look {
  stats: SocketStats;
  at: number;
}

/** Whose numbers to show: those of all servers where several hear each other, else those of the one that answers. */
export function shownOf(stats: SocketStats): { numbers: SocketNumbers; servers: number } {
  const { cluster } = stats;
  return cluster && cluster.servers > 1
    ? { numbers: cluster, servers: cluster.servers }
    : { numbers: stats, servers: 1 };
}

/** The sample that a look gives, beside those before it. */
export function sampleOf(look: Look, before: readonly Look[]): Sample {
  const { numbers, servers } = shownOf(look.stats);
  const rate = servers > 1 ? rateOfAll(look, before, servers) : rateOfOne(look, before.at(-1));
  return { at: look.at, connections: numbers.active_connections, events: rate };
}

/** By the server's own clock; a smaller count is that of another start. */
function rateOfOne(look: Look, last: Look | undefined): number | null {
  if (!last || shownOf(last.stats).servers > 1) return null;
  const { uptime_s, events_delivered } = look.stats;
  return rateOf(events_delivered - last.stats.events_delivered, uptime_s - last.stats.uptime_s);
}

/** Over several looks, since the other servers tell their counts by turns; only among looks at as many servers. */
function rateOfAll(look: Look, before: readonly Look[], servers: number): number | null {
  const others = before.findLastIndex((past) => shownOf(past.stats).servers !== servers);
  const first = before.slice(others + 1)[0];
  if (!first) return null;
  const { numbers } = shownOf(first.stats);
  return rateOf(shownOf(look.stats).numbers.events_delivered - numbers.events_delivered, (look.at - first.at) / 1000);
}

function rateOf(events: number, seconds: number): number | null {
  return events < 0 || seconds <= 0 ? null : Math.round((events / seconds) * 10) / 10;
}

export class LiveNumbers {
  samples = $state.raw<readonly Sample[]>([]);
  stats = $state.raw<SocketStats | null>(null);
  error = $state.raw<unknown>(null);

  readonly #look: () => Promise<SocketStats>;
  readonly #now: () => number;
  #before: readonly Look[] = [];
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
      const look = { stats: await this.#look(), at: this.#now() };
      this.samples = [...this.samples, sampleOf(look, this.#before)].slice(-KEPT);
      this.stats = look.stats;
      this.#before = [...this.#before, look].slice(-RATE_LOOKS);
      this.error = null;
    } catch (failure) {
      this.error = failure;
    } finally {
      this.#looking = false;
    }
  }
}
