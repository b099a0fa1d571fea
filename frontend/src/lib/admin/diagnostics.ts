/**
 * The connection doctor: what stands between this browser and the server, one check at a time. A check never throws;
 * it says what it found, and the words for it (`diagnostics.<check>_<code>`) say what to do.
 */

import { type SocketProbe, SocketRefused } from '../server/socket-probe';
import { describeAgent } from '../server/user-agent';
import type { ServerInfo } from '../types';
import type { Values } from '../words/message-format';

export const CHECKS = [
  'server',
  'upgrade',
  'round_trip',
  'clock',
  'idle',
  'storage',
  'notifications',
  'browser',
] as const;
export type CheckName = (typeof CHECKS)[number];
export type Verdict = 'ok' | 'warning' | 'failed';

export interface Finding {
  verdict: Verdict;
  code: string;
  values?: Values;
}

/** What the checks touch; tests pass their own. */
export interface Surroundings {
  server: () => Promise<ServerInfo>;
  /** Which parts of the server work, by `/readyz`. */
  ready: () => Promise<Record<string, boolean>>;
  probe: () => Promise<SocketProbe>;
  /** Version this page was built from. */
  version: string;
  navigator: Navigator;
  /** Whether something can be written to IndexedDB. */
  canStore: () => Promise<boolean>;
  notifications: NotificationPermission | 'unsupported';
  secure: boolean;
  sleep: (ms: number) => Promise<void>;
}

const ECHOES = 8;
/** Beyond it a person feels the way. Milliseconds there and back. */
const SLOW_MS = 250;
const UNEVEN_MS = 100;
/** Beyond it "3 minutes ago" is wrong, and so may be what is overdue. */
const SKEW_MS = 5_000;
/** Heartbeats that an idle socket must live through, and a little more. */
const IDLE_HEARTBEATS = 2.4;
/** Less is a disk about to be full: the board could not be kept for offline. */
const SMALL_BYTES = 50 * 1024 * 1024;

const ok = (code: string, values: Values = {}): Finding => ({ verdict: 'ok', code, values });
const warning = (code: string, values: Values = {}): Finding => ({ verdict: 'warning', code, values });
const failed = (code: string, values: Values = {}): Finding => ({ verdict: 'failed', code, values });

export async function checkServer({ server, ready, version }: Surroundings): Promise<Finding> {
  try {
    const info = await server();
    const broken = Object.entries(await ready()).flatMap(([name, works]) => (works ? [] : [name]));
    if (broken.length > 0) return failed('not_ready', { parts: broken.join(', ') });
    return info.version === version
      ? ok('fine', { version })
      : warning('other_version', { server: info.version, page: version });
  } catch {
    return failed('unreachable');
  }
}

/** A probe that is open, or why there is none. */
export async function checkUpgrade({ probe }: Surroundings): Promise<[Finding, SocketProbe | null]> {
  try {
    const opened = await probe();
    await opened.welcome();
    return [ok('fine'), opened];
  } catch (error) {
    const code = error instanceof SocketRefused ? error.code : 0;
    return [code >= 4000 ? failed('refused', { code }) : failed('blocked', { code }), null];
  }
}

/** Round trip and clock, from the same pings. */
export async function checkEchoes(probe: SocketProbe): Promise<[roundTrip: Finding, clock: Finding]> {
  try {
    const echoes = [];
    for (let count = 0; count < ECHOES; count++) echoes.push(await probe.echo());
    const times = echoes.map(({ ms }) => ms);
    const best = echoes.reduce((a, b) => (b.ms < a.ms ? b : a));
    return [roundTrip(times), clock(best.skewMs)];
  } catch {
    return [failed('lost'), failed('unknown')];
  }
}

function roundTrip(times: readonly number[]): Finding {
  const sorted = [...times].sort((a, b) => a - b);
  const ms = round(sorted[Math.floor(sorted.length / 2)] ?? 0);
  const steps = times.slice(1).map((time, index) => Math.abs(time - (times[index] ?? time)));
  const jitter = round(steps.reduce((sum, step) => sum + step, 0) / Math.max(1, steps.length));
  if (ms > SLOW_MS) return warning('slow', { ms, jitter });
  return jitter > UNEVEN_MS ? warning('uneven', { ms, jitter }) : ok('fine', { ms, jitter });
}

function clock(skewMs: number): Finding {
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  if (Math.abs(skewMs) < SKEW_MS) return ok('fine', { ms: Math.round(Math.abs(skewMs)) });
  return warning(skewMs > 0 ? 'behind' : 'ahead', { seconds });
}

/** Keeps a socket that says nothing, and sees whether it is still there after some heartbeats. */
export async function checkIdle(
  probe: SocketProbe,
  { sleep }: Surroundings,
  progress: (share: number) => void,
): Promise<Finding> {
  const { heartbeat_s } = await probe.welcome();
  const wholeMs = heartbeat_s * IDLE_HEARTBEATS * 1000;
  const steps = 50;
  const before = probe.heartbeats;
  let cut: { code: number; afterMs: number } | null = null;
  void probe.cut.then((found) => {
    cut = found;
  });
  for (let step = 1; step <= steps && !cut; step++) {
    await Promise.race([sleep(wholeMs / steps), probe.cut]);
    progress(step / steps);
  }
  const seconds = Math.round(((cut as { afterMs: number } | null)?.afterMs ?? wholeMs) / 1000);
  if (cut) return failed('cut', { seconds, heartbeat: heartbeat_s });
  return probe.heartbeats > before ? ok('held', { seconds }) : failed('silent', { seconds });
}

export async function checkStorage({ navigator, canStore }: Surroundings): Promise<Finding> {
  if (!(await canStore())) return failed('blocked');
  const { quota, usage } = (await navigator.storage?.estimate?.().catch(() => null)) ?? {};
  if (quota === undefined) return ok('unmeasured');
  const free = quota - (usage ?? 0);
  const megabytes = Math.round(free / 1024 / 1024);
  return free < SMALL_BYTES ? warning('small', { megabytes }) : ok('fine', { megabytes });
}

export function checkNotifications({ notifications, secure }: Surroundings): Finding {
  if (!secure) return warning('insecure');
  if (notifications === 'unsupported') return warning('unsupported');
  if (notifications === 'denied') return warning('denied');
  return ok(notifications === 'granted' ? 'granted' : 'not_asked');
}

export function checkBrowser({ navigator, secure }: Surroundings): Finding {
  const browser = describeAgent(navigator.userAgent) ?? navigator.userAgent;
  if (!navigator.onLine) return warning('offline', { browser });
  return secure ? ok('fine', { browser }) : warning('insecure', { browser });
}

const round = (ms: number) => Math.round(ms * 10) / 10;
