import { render, screen } from '@testing-library/svelte';
import { describe, expect, test, vi } from 'vitest';
import LivePanel from '../src/components/admin/LivePanel.svelte';
import Sparkline from '../src/components/ui/Sparkline.svelte';
import { LiveNumbers } from '../src/lib/admin/live-numbers.svelte';
import { lineOf, summaryOf, topOf } from '../src/lib/admin/sparkline';
import { Paged } from '../src/lib/lists/paged.svelte';
import { session } from '../src/lib/server/session.svelte';
import type { AdminUser, Page, SocketStats } from '../src/lib/types';
import { formatBytes, formatDuration } from '../src/lib/words/amounts';
import { later, settled } from './support/board';

const stats = (over: Partial<SocketStats>): SocketStats => ({
  active_connections: 3,
  authenticated_users: 2,
  anonymous_connections: 1,
  active_rooms: 1,
  total_connections: 9,
  messages_sent: 100,
  messages_received: 50,
  events_delivered: 1_000,
  replays: 0,
  uptime_s: 100,
  cluster: null,
  ...over,
});

const { uptime_s: _, cluster: __, ...counters } = stats({});
/** What one of so many servers answers when all of them have delivered so many events. */
const together = (servers: number, events_delivered: number, over: Partial<SocketStats> = {}) =>
  stats({ cluster: { ...counters, servers, active_connections: 3 * servers, events_delivered }, ...over });

async function looksAt(...answers: SocketStats[]): Promise<LiveNumbers> {
  let at = 0;
  const numbers = new LiveNumbers(
    async () => answers.shift() as SocketStats,
    () => (at += 2_000),
  );
  for (let look = answers.length; look > 0; look--) await numbers.look();
  return numbers;
}

describe('the live numbers', () => {
  test('are a rate by the server’s own clock, unknown at first and after a restart', async () => {
    const numbers = await looksAt(
      stats({ uptime_s: 100, events_delivered: 1_000 }),
      stats({ uptime_s: 104, events_delivered: 1_200, active_connections: 5 }),
      stats({ uptime_s: 1, events_delivered: 4 }),
    );
    expect(numbers.samples).toEqual([
      { at: 2_000, connections: 3, events: null },
      { at: 4_000, connections: 5, events: 50 },
      { at: 6_000, connections: 3, events: null },
    ]);
  });

  test('of several servers are those of all, whichever answers, at a rate over several looks', async () => {
    const numbers = await looksAt(
      together(2, 1_000, { uptime_s: 500 }),
      together(2, 1_000, { uptime_s: 3 }),
      together(2, 1_200, { uptime_s: 504 }),
      ...[1_200, 1_200, 1_200, 1_200].map((events) => together(2, events)),
      together(2, 1_210),
    );
    expect(numbers.samples.map(({ connections }) => connections)).toEqual(Array(8).fill(6));
    expect(numbers.samples.map(({ events }) => events)).toEqual([null, 0, 50, 33.3, 25, 20, 20, 1]);
  });

  test('jump to no rate when a server comes or goes, or the servers lose each other', async () => {
    const numbers = await looksAt(
      stats({ uptime_s: 100 }),
      together(2, 5_000),
      together(2, 5_100),
      together(3, 9_000),
      together(3, 8_999),
      stats({ uptime_s: 200 }),
      stats({ uptime_s: 202, events_delivered: 1_100 }),
      together(1, 1_150, { uptime_s: 204, events_delivered: 1_200 }),
    );
    expect(numbers.samples.map(({ events }) => events)).toEqual([null, null, 50, null, null, null, 50, 50]);
  });

  test.each([
    [together(2, 5_000), 'sum of 2 servers', '5,000'],
    [stats({}), 'do not hear each other', '1,000'],
    [together(1, 1_000), null, '1,000'],
  ])('say on the page whose they are', async (answer, said, delivered) => {
    vi.spyOn(session.rest.admin, 'sockets').mockResolvedValue(answer);
    const { container } = render(LivePanel);
    await screen.findByText('Events delivered');
    expect(screen.getByText('Events delivered').nextElementSibling?.textContent).toBe(delivered);
    const note = container.querySelector('p.muted:not(.small)')?.textContent ?? null;
    if (said === null) expect(note).toBeNull();
    else expect(note).toContain(said);
  });

  test('a failed look is told and the next one forgets it', async () => {
    const look = vi.fn().mockRejectedValueOnce(new Error('no')).mockResolvedValue(stats({}));
    const numbers = new LiveNumbers(look);
    await numbers.look();
    expect(numbers.error).toBeInstanceOf(Error);
    await numbers.look();
    expect(numbers.error).toBeNull();
    expect(numbers.samples).toHaveLength(1);
  });
});

describe('the chart', () => {
  const points = [
    { at: 0, value: 10 },
    { at: 50, value: 40 },
    { at: 100, value: 20 },
  ];

  test('ends at the right edge and stands on the lower one', () => {
    expect(lineOf(points, 100, 200, 100, 50)).toBe('M0 80L100 20L200 60');
  });

  test.each([
    [0, 1],
    [3, 5],
    [41, 50],
    [100, 100],
    [101, 200],
  ])('up to %d the scale goes to %d', (most, top) => {
    expect(topOf(most)).toBe(top);
  });

  test('is told in words and in a table', () => {
    expect(summaryOf([])).toBeNull();
    render(Sparkline, { label: 'Connections', points, spanMs: 100 });
    expect(screen.getByRole('img', { name: 'Connections: now 20, lowest 10, highest 40, average 23.3' })).toBeTruthy();
    expect(screen.getByRole('columnheader', { name: 'Connections', hidden: true })).toBeTruthy();
  });
});

describe('the search for people', () => {
  const person = (name: string) => ({ id: name, name }) as AdminUser;

  test('an answer to what is no longer asked is not shown', async () => {
    const first = later<Page<AdminUser>>();
    const fetch = vi.fn().mockReturnValueOnce(first.promise);
    fetch.mockResolvedValue({ items: [person('Anna')], next_cursor: null });
    const search = new Paged<AdminUser>(fetch);
    void search.load();
    await search.load();
    first.resolve({ items: [person('Boris')], next_cursor: null });
    await settled();
    expect(search.items?.map(({ name }) => name)).toEqual(['Anna']);
  });

  test('more are put behind, and a changed one in its place', async () => {
    const fetch = vi.fn().mockResolvedValueOnce({ items: [person('Anna')], next_cursor: 'c1' });
    fetch.mockResolvedValueOnce({ items: [person('Boris')], next_cursor: null });
    const search = new Paged<AdminUser>(fetch);
    await search.load();
    expect(search.more).toBe(true);
    await search.next();
    expect(fetch).toHaveBeenLastCalledWith('', 'c1');
    search.put({ ...person('Anna'), is_active: false });
    expect(search.items?.map(({ name, is_active }) => [name, is_active])).toEqual([
      ['Anna', false],
      ['Boris', undefined],
    ]);
    expect(search.more).toBe(false);
  });
});

describe('amounts', () => {
  test('are read in the language', () => {
    expect(formatBytes(1_536_000_000, 'en')).toBe('1.5 GB');
    expect(formatBytes(1_536_000_000, 'ru')).toBe('1,5 ГБ');
    expect(formatDuration(273_840, 'en')).toBe('3 days 4 hours');
    expect(formatDuration(273_840, 'ru').replace(/\u00a0/g, ' ')).toBe('3 дня 4 часа');
    expect(formatDuration(0.4, 'en')).toBe('0 seconds');
  });
});
