import { describe, expect, test, vi } from 'vitest';
import { CHECKS, type Surroundings } from '../src/lib/admin/diagnostics';
import { Doctor } from '../src/lib/admin/doctor.svelte';
import { SocketProbe } from '../src/lib/server/socket-probe';
import { hasMessage } from '../src/lib/words/i18n.svelte';

/** A socket whose other end the test plays. */
class Line {
  onmessage: (event: { data: string }) => void = () => {};
  onclose: (event: { code: number }) => void = () => {};
  /** What the server does with a message of ours. */
  answer: (message: { type: string; id?: number }) => void = () => {};
  closed = false;

  send(text: string): void {
    this.answer(JSON.parse(text));
  }
  close(): void {
    this.cut(1000);
  }
  say(message: object): void {
    this.onmessage({ data: JSON.stringify(message) });
  }
  cut(code: number): void {
    if (!this.closed) this.onclose({ code });
    this.closed = true;
  }
}

const HEARTBEAT = { type: 'ping', data: { heads: {} } };

interface Given extends Partial<Surroundings> {
  skewMs?: number;
  /** What happens at each step of the quiet minute. */
  quiet?: (line: Line) => void;
  open?: (line: Line) => void;
}

function surroundings({ skewMs = 0, quiet = (line) => line.say(HEARTBEAT), open, ...over }: Given = {}) {
  const line = new Line();
  line.answer = ({ type, id }) => {
    const server_time = new Date(Date.now() + skewMs).toISOString();
    if (type === 'ping') line.say({ type: 'pong', id, data: { server_time } });
  };
  const greet = () => line.say({ type: 'welcome', data: { heartbeat_s: 25, server_time: '' } });
  const probe = async () => {
    const made = new SocketProbe('ws://x/api/v1/ws', 'jwt', () => line as unknown as WebSocket);
    (open ?? greet)(line);
    return made;
  };
  const around: Surroundings = {
    server: async () => ({
      name: 'Time to DO',
      version: '1.2.3',
      registration: 'open',
      needs_admin: false,
      mail: false,
    }),
    ready: async () => ({ database: true, broker: true, accepting: true }),
    probe,
    version: '1.2.3',
    navigator: { userAgent: 'Mozilla/5.0 (X11; Linux) Firefox/140.0', onLine: true } as Navigator,
    canStore: async () => true,
    notifications: 'default',
    secure: true,
    sleep: async () => quiet(line),
    ...over,
  };
  return { around, line };
}

async function examine(given: Given = {}) {
  const { around, line } = surroundings(given);
  const doctor = new Doctor(around);
  await doctor.examine();
  return { doctor, line, findings: doctor.findings };
}

describe('the connection doctor', () => {
  test('finds nothing where all is well, has words for all of it, and leaves no socket behind', async () => {
    const { doctor, findings, line } = await examine();
    expect(CHECKS.map((name) => findings[name]?.verdict)).toEqual(CHECKS.map(() => 'ok'));
    for (const name of CHECKS) expect(hasMessage(`diagnostics.${name}_${findings[name]?.code}`)).toBe(true);
    expect(findings.idle).toMatchObject({ code: 'held', values: { seconds: 60 } });
    expect(doctor.progress).toBe(1);
    expect(line.closed).toBe(true);
  });

  test('a proxy without WebSockets: what hangs on the socket is skipped, the rest is examined', async () => {
    const { doctor, findings } = await examine({ open: (line) => line.cut(1006) });
    expect(findings.upgrade).toMatchObject({ verdict: 'failed', code: 'blocked', values: { code: 1006 } });
    expect(findings.idle).toMatchObject({ code: 'skipped' });
    expect(findings.server?.verdict).toBe('ok');
    expect(doctor.done).toBe(true);
  });

  test('a refusal by the server is told from a proxy', async () => {
    const { findings } = await examine({ open: (line) => line.cut(4401) });
    expect(findings.upgrade).toMatchObject({ code: 'refused', values: { code: 4401 } });
  });

  test('a proxy that cuts quiet connections', async () => {
    let steps = 0;
    const { findings } = await examine({ quiet: (line) => ++steps === 10 && line.cut(1006) });
    expect(findings.idle).toMatchObject({ verdict: 'failed', code: 'cut', values: { heartbeat: 25 } });
    expect(steps).toBe(10);
  });

  test('a proxy that holds messages back', async () => {
    const { findings } = await examine({ quiet: () => {} });
    expect(findings.idle).toMatchObject({ verdict: 'failed', code: 'silent' });
  });

  test.each([
    [60_000, 'behind'],
    [-60_000, 'ahead'],
  ])('a server’s clock %d ms off: this one is %s', async (skewMs, code) => {
    const { findings } = await examine({ skewMs });
    expect(findings.clock).toMatchObject({ verdict: 'warning', code, values: { seconds: 60 } });
  });

  test('a server that is up but not ready, of another version, or silent', async () => {
    const sick = await examine({ ready: async () => ({ database: false, broker: true }) });
    expect(sick.findings.server).toMatchObject({ code: 'not_ready', values: { parts: 'database' } });
    const old = await examine({ version: '1.2.2' });
    expect(old.findings.server).toMatchObject({ code: 'other_version' });
    const gone = await examine({ server: () => Promise.reject(new TypeError()) });
    expect(gone.findings.server).toMatchObject({ code: 'unreachable' });
  });

  test('what this browser forbids', async () => {
    const { findings } = await examine({ canStore: async () => false, notifications: 'denied' });
    expect(findings.storage).toMatchObject({ verdict: 'failed', code: 'blocked' });
    expect(findings.notifications).toMatchObject({ verdict: 'warning', code: 'denied' });
  });

  test('examining twice at once is examining once', async () => {
    const { around } = surroundings();
    const probe = vi.fn(around.probe);
    const doctor = new Doctor({ ...around, probe });
    await Promise.all([doctor.examine(), doctor.examine()]);
    expect(probe).toHaveBeenCalledOnce();
  });
});
