import { beforeEach, describe, expect, test, vi } from 'vitest';
import { belongs, itemBeside, numberOf, rowsOf } from '../src/lib/inbox/groups';
import { Inbox } from '../src/lib/inbox/inbox.svelte';
import { snoozes } from '../src/lib/inbox/snooze';
import type { InboxCopy } from '../src/lib/local/copies';
import { SharedLive } from '../src/lib/local/shared-live';
import { bell } from '../src/lib/page/bell.svelte';
import type { Endpoints } from '../src/lib/server/endpoints';
import { NetworkError } from '../src/lib/server/errors';
import type { Notification } from '../src/lib/types';
import { settled } from './support/board';
import { at, FakeStream, fakeInboxServer, notification } from './support/inbox';

const now = new Date(at(30));

async function open(items: Notification[], copy: InboxCopy | null = null) {
  const stream = new FakeStream();
  const { server, rest } = fakeInboxServer(items);
  const copies = { inbox: vi.fn(async () => copy), saveInbox: vi.fn() };
  const news: string[] = [];
  const inbox = new Inbox({
    rest: rest as unknown as Pick<Endpoints, 'notifications' | 'tasks'>,
    live: stream,
    copies,
    onNews: ({ id }) => news.push(id),
    now: () => now,
  });
  const start = async () => {
    inbox.start();
    await settled();
  };
  return { inbox, stream, server, rest, copies, news, start };
}
const ids = (items: readonly Notification[] | null) => items?.map(({ id }) => id);

beforeEach(() => {
  bell.unread = 0;
});

describe('the groups', () => {
  const items = [
    notification('n3', { task_id: 't2', updated_at: at(3) }),
    notification('n2', { updated_at: at(2) }),
    notification('n1', { kind: 'mentioned', updated_at: at(1) }),
    notification('n0', { task_id: null, task_key: null, kind: 'project_added', updated_at: at(0) }),
  ];

  test('hold what is of one task, newest first, and urgent mentions before all', () => {
    const shown = (urgent: string[]) => rowsOf(items, new Set(urgent)).map(({ id }) => id);
    expect(shown([])).toEqual(['group t2', 'n3', 'group t1', 'n2', 'n1', 'group p', 'n0']);
    expect(shown(['n1'])).toEqual(['group t1', 'n1', 'n2', 'group t2', 'n3', 'group p', 'n0']);
  });

  test('are walked over without their heads, and not past the ends', () => {
    const rows = rowsOf(items, new Set());
    expect(itemBeside(rows, null, 1)).toBe('n3');
    expect(itemBeside(rows, 'n3', 1)).toBe('n2');
    expect(itemBeside(rows, 'n3', -1)).toBe('n3');
    expect(itemBeside(rows, 'n0', 1)).toBe('n0');
    expect(itemBeside([], null, 1)).toBeNull();
  });

  test('lists take what is theirs', () => {
    const lists = (over: Partial<Notification>) =>
      (['all', 'mentions', 'assigned', 'archived'] as const).filter((name) =>
        belongs(notification('n', { why: 'watcher', ...over }), name, now),
      );
    expect(lists({})).toEqual(['all']);
    expect(lists({ kind: 'mentioned' })).toEqual(['all', 'mentions']);
    expect(lists({ kind: 'assigned' })).toEqual(['all', 'assigned']);
    expect(lists({ archived_at: at(1) })).toEqual(['archived']);
    expect(lists({ snoozed_until: at(40) })).toEqual([]);
    expect(lists({ snoozed_until: at(20) })).toEqual(['all']);
  });

  test('a number is read from a key', () => {
    expect(numberOf(notification('n', { task_key: 'WEB-12' }))).toBe(12);
    expect(numberOf(notification('n', { task_key: null }))).toBeNull();
  });
});

describe('the inbox', () => {
  test('reads page after page, and says what is unread', async () => {
    const { inbox, server, start } = await open([1, 2, 3].map((n) => notification(`n${n}`, { updated_at: at(n) })));
    server.page = 2;
    await start();
    expect(ids(inbox.list('all'))).toEqual(['n3', 'n2']);
    expect(bell.unread).toBe(3);
    await inbox.more('all');
    expect(ids(inbox.list('all'))).toEqual(['n3', 'n2', 'n1']);
    expect(inbox.hasMore('all')).toBe(false);
  });

  test('has the unread mentions of long ago at once', async () => {
    const old = notification('old', { kind: 'mentioned', updated_at: at(0) });
    const { inbox, server, start } = await open([
      old,
      ...[1, 2].map((n) => notification(`n${n}`, { updated_at: at(n) })),
    ]);
    server.page = 1;
    await start();
    expect(ids(inbox.list('all'))).toEqual(['n2', 'old']);
  });

  test('applies what the stream tells once, and an older row never over a newer', async () => {
    const { inbox, stream, news, start } = await open([notification('n1')]);
    await start();
    stream.tell(2, { id: 'n2', updated_at: at(2) }, 2);
    stream.tell(2, { id: 'n2', updated_at: at(2) }, 2);
    expect(ids(inbox.list('all'))).toEqual(['n2', 'n1']);
    expect(news).toEqual(['n2']);
    stream.tell(3, { id: 'n2', updated_at: at(2), read_at: at(3) }, 1, 'updated');
    stream.tell(4, { id: 'n2', updated_at: at(2), seq: 2 }, 1, 'updated');
    expect(inbox.list('all')?.[0]?.read_at).toBe(at(3));
    expect(bell.unread).toBe(1);
    expect(news).toEqual(['n2']);
  });

  test('reads again after a hole, a resync or a change of what may be seen, and when the stream is further than it', async () => {
    const { inbox, stream, server, start } = await open([notification('n1')]);
    await start();
    stream.tell(2, { id: 'n2' }, 2);
    server.items = [notification('n4', { seq: 4, updated_at: at(4) })];
    stream.tell(4, { id: 'n4', updated_at: at(4) }, 3);
    await settled();
    expect(ids(inbox.list('all'))).toEqual(['n4']);
    server.items = [notification('n9', { seq: 9 })];
    stream.emit('resync', { epoch: 'e', seq: 9 });
    await settled();
    expect(ids(inbox.list('all'))).toEqual(['n9']);
    server.items = [notification('n10', { seq: 10 })];
    stream.emit('notification', { action: 'changed', notification: null, project_id: null, unread: 1 }, 10);
    await settled();
    expect(ids(inbox.list('all'))).toEqual(['n10']);
    server.items = [notification('n12', { seq: 12 })];
    stream.emit('user_joined', { epoch: 'f', seq: 12, recovered: null, replay: 0, unread: 7 });
    await settled();
    expect(ids(inbox.list('all'))).toEqual(['n12']);
  });

  test('what another device reads or puts away all at once is so here', async () => {
    const { inbox, stream, start } = await open([
      notification('n1'),
      notification('n2', { seq: 5, updated_at: at(2) }),
    ]);
    await start();
    const told = (action: string, seq: number, project_id: string | null = null) =>
      stream.emit('notification', { action, notification: null, project_id, unread: 1 }, seq);
    told('read_all', 4);
    expect(inbox.list('all')?.map(({ read_at }) => read_at !== null)).toEqual([false, true]);
    told('archived_read', 5);
    expect(ids(inbox.list('all'))).toEqual(['n2']);
    told('read_all', 6, 'another project');
    expect(inbox.list('all')?.[0]?.read_at).toBeNull();
    told('forgotten', 7, 'p');
    expect(inbox.list('all')).toEqual([]);
  });

  test('shows at once what one does, and takes back what the server refuses', async () => {
    const { inbox, rest, start } = await open([notification('n1')]);
    await start();
    rest.notifications.update.mockRejectedValue(new NetworkError());
    const done = inbox.archive(['n1']);
    expect(ids(inbox.list('all'))).toEqual([]);
    expect(bell.unread).toBe(0);
    expect(await done).toBe(false);
    expect(ids(inbox.list('all'))).toEqual(['n1']);
    expect(bell.unread).toBe(1);
  });

  test('a task that is seen is read, quietly', async () => {
    const { inbox, rest, start } = await open([notification('n1'), notification('n2', { task_id: 't2' })]);
    await start();
    await inbox.seeTask('t1');
    expect(rest.tasks.read).toHaveBeenCalledWith('t1');
    expect(bell.unread).toBe(1);
    rest.tasks.read.mockRejectedValue(new NetworkError());
    await inbox.seeTask('t2');
    expect(bell.unread).toBe(1);
  });

  test('opens from the copy of this device, and without a network stays there', async () => {
    const copy = { items: [notification('kept')], unread: 4 };
    const { inbox, rest, start, stream } = await open([notification('n1')], copy);
    rest.notifications.list.mockRejectedValue(new NetworkError());
    await start();
    expect(ids(inbox.list('all'))).toEqual(['kept']);
    expect(bell.unread).toBe(4);
    expect(inbox.error).toBeNull();
    rest.notifications.list.mockResolvedValue({ items: [notification('n1')], next_cursor: null, unread: 1 });
    stream.emit('user_joined', { epoch: 'e', seq: 3, recovered: null, replay: 0, unread: 1 });
    await settled();
    expect(ids(inbox.list('all'))).toEqual(['n1']);
  });

  test('is looked up now and then where no stream comes, and no more once it does', async () => {
    vi.useFakeTimers();
    const { inbox, server, stream, rest } = await open([notification('n1')]);
    inbox.start();
    await vi.advanceTimersByTimeAsync(1);
    server.items = [...server.items, notification('n2', { updated_at: at(2) })];
    server.unread = 2;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(ids(inbox.list('all'))).toEqual(['n2', 'n1']);
    expect(bell.unread).toBe(2);
    stream.emit('user_joined', { epoch: 'e', seq: 1, recovered: null, replay: 0, unread: 2 });
    const before = rest.notifications.list.mock.calls.length;
    await vi.advanceTimersByTimeAsync(90_000);
    expect(rest.notifications.list.mock.calls.length).toBe(before);
    inbox.stop();
    vi.useRealTimers();
  });

  test('an answer that is older than the stream does not count what is unread', async () => {
    const { server, stream, rest, start } = await open([]);
    server.unread = 5;
    let answer: (page: object) => void = () => {};
    rest.notifications.list.mockReturnValueOnce(new Promise((resolve) => (answer = resolve as typeof answer)));
    await start();
    stream.tell(1, { id: 'n1' }, 5);
    answer({ items: [], next_cursor: null, unread: 4 });
    await settled();
    expect(bell.unread).toBe(5);
  });
});

describe('snoozing', () => {
  const choices = (moment: string, zone = 'Europe/Moscow') =>
    Object.fromEntries(snoozes(new Date(moment), zone).map(({ name, until }) => [name, until]));

  test('is until moments on the clocks of the person', () => {
    expect(choices('2026-11-25T07:00:00Z')).toEqual({
      hour: '2026-11-25T08:00:00.000Z',
      evening: '2026-11-25T15:00:00.000Z',
      tomorrow: '2026-11-26T06:00:00.000Z',
      week: '2026-11-30T06:00:00.000Z',
    });
  });

  test('names no evening that is almost there, and no Monday that is tomorrow', () => {
    expect(Object.keys(choices('2026-11-29T14:00:00Z'))).toEqual(['hour', 'tomorrow']);
  });
});

test('whoever leads the tabs next is asked for the stream again, and all tabs hear it', () => {
  const live = new SharedLive();
  const asked: string[] = [];
  live.ask = ({ ask }) => asked.push(ask);
  live.joinUser();
  live.introduce();
  expect(asked).toEqual(['user', 'state', 'user']);
  const heard = vi.fn();
  live.on('notification', heard);
  live.hear({ told: { type: 'notification', seq: 1, data: {} } });
  expect(heard).toHaveBeenCalledTimes(1);
});
