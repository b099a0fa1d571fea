import 'fake-indexeddb/auto';
import { describe, expect, test, vi } from 'vitest';
import type { Change } from '../src/lib/board/changes';
import { mergeTexts } from '../src/lib/board/text-merge';
import { Copies } from '../src/lib/local/copies';
import { reasonOf } from '../src/lib/local/describe';
import { openDisk, Rough } from '../src/lib/local/disk';
import { Outbox } from '../src/lib/local/outbox';
import { OwnChanges } from '../src/lib/local/own-changes.svelte';
import { Sender } from '../src/lib/local/sender';
import type { Endpoints } from '../src/lib/server/endpoints';
import { ApiError, NetworkError } from '../src/lib/server/errors';
import type { BoardEvent } from '../src/lib/types';
import { board, fakeRest, later, settled, task, taskEvent } from './support/board';

const HOUR = 3_600_000;
const from = { epoch: 'e1', seq: 10 };
const move = (op_id: string, at = 1): Change => ({ kind: 'move', op_id, at, task_id: 't1', to: { status: 'done' } });

describe.each([
  ['IndexedDB', () => openDisk(`test-${Math.random()}`)],
  ['localStorage', () => new Rough()],
])('a disk of %s', (_name, make) => {
  test('keeps, lists by prefix, and forgets', async () => {
    const disk = make();
    await disk.put('outbox', 'anna/2', { n: 2 });
    await disk.put('outbox', 'anna/1', { n: 1 });
    await disk.put('outbox', 'boris/1', { n: 3 });
    expect(await disk.list('outbox', 'anna/')).toEqual([{ n: 1 }, { n: 2 }]);
    await disk.remove('outbox', 'anna/1');
    await disk.clear('outbox', 'boris/');
    expect(await disk.list('outbox', '')).toEqual([{ n: 2 }]);
  });
});

describe('a copy of a board', () => {
  test('is written unless another tab is further, which is known without reading it', async () => {
    const disk = new Rough();
    const read = vi.spyOn(disk, 'get');
    const [near, far] = [11, 12].map((seq) => board({ seq }));
    const write = async (copies: Copies, one = far) => {
      const saved = vi.fn();
      vi.useFakeTimers();
      copies.saveBoard(one as NonNullable<typeof one>, saved);
      await vi.runAllTimersAsync();
      vi.useRealTimers();
      expect(saved).toHaveBeenCalledOnce();
    };
    await write(new Copies(disk, 'anna'), far);
    await write(new Copies(disk, 'anna'), near);
    expect(read.mock.calls.filter(([, key]) => key.endsWith('/board'))).toEqual([]);
    expect((await new Copies(disk, 'anna').board('p'))?.seq).toBe(12);
  });
});

test('that a change is on its way is written down, and nothing is drawn for it', () => {
  const outbox = new Outbox(new Rough(), 'anna');
  const draw = vi.fn();
  outbox.add('p', move('op-1'), from);
  outbox.follow(draw);
  outbox.note('op-1', { tried: 5 });
  expect(outbox.get('op-1')?.tried).toBe(5);
  expect(draw).not.toHaveBeenCalled();
});

describe('a change whose answer never came', () => {
  async function late(hours: number, items: BoardEvent[]) {
    const rest = fakeRest();
    rest.projects.events.mockResolvedValue({ epoch: 'e1', seq: 11, items, next_since: null });
    rest.tasks.move.mockRejectedValueOnce(new NetworkError());
    rest.tasks.move.mockResolvedValue(task('t1', { version: 2 }));
    let now = 0;
    const outbox = new Outbox(new Rough(), 'anna');
    const pause = vi.fn(async () => {
      now = hours * HOUR;
    });
    const sender = new Sender(outbox, rest as unknown as Endpoints, { pause, now: () => now, offline: () => false });
    outbox.wake = () => sender.wake();
    sender.start();
    outbox.add('p', move('op-1'), from);
    for (let turn = 0; turn < 5; turn++) await settled();
    return { rest, outbox };
  }

  test('is sent again under its key while the server remembers that', async () => {
    const { rest, outbox } = await late(1, []);
    expect(rest.tasks.move.mock.calls.map(([, , options]) => options.opId)).toEqual(['op-1', 'op-1']);
    expect(rest.projects.events).not.toHaveBeenCalled();
    expect(outbox.get('op-1')?.state).toBe('accepted');
  });

  test('a day later is not sent again when the log has it', async () => {
    const event = taskEvent('task_moved', 11, task('t1', { version: 2 }), { op_id: 'op-1' }) as unknown as BoardEvent;
    const { rest, outbox } = await late(30, [event]);
    expect(rest.tasks.move).toHaveBeenCalledTimes(1);
    expect(outbox.get('op-1')?.state).toBe('accepted');
  });

  test('a day later is sent when the log does not have it', async () => {
    const { rest } = await late(30, []);
    expect(rest.tasks.move).toHaveBeenCalledTimes(2);
  });
});

test('a change that the log can say no more of is asked about once, and then sent as if it was made now', async () => {
  const rest = fakeRest();
  rest.projects.events.mockRejectedValue(new ApiError(410, { code: 'epoch_changed' }));
  rest.tasks.move.mockRejectedValueOnce(new NetworkError());
  rest.tasks.move.mockResolvedValue(task('t1', { version: 2 }));
  let now = 0;
  const pause = async () => {
    now = 30 * HOUR;
  };
  const outbox = new Outbox(new Rough(), 'anna');
  const sender = new Sender(outbox, rest as unknown as Endpoints, { pause, now: () => now, offline: () => false });
  outbox.wake = () => sender.wake();
  sender.start();
  const own = new OwnChanges('p', 'anna', outbox);
  own.follow(() => {});
  own.add(move('op-1'), board());
  for (let turn = 0; turn < 5; turn++) await settled();
  expect(own.failed.map(reasonOf)).toEqual([expect.stringContaining('sent so long ago')]);
  expect(rest.tasks.move).toHaveBeenCalledTimes(1);
  own.retry('op-1', board({ epoch: 'e2', seq: 3 }));
  await settled();
  expect(rest.tasks.move).toHaveBeenCalledTimes(2);
  expect(rest.projects.events).toHaveBeenCalledTimes(1);
  expect(outbox.get('op-1')).toMatchObject({ state: 'accepted', from: { epoch: 'e2', seq: 3 } });
});

test('a card made at the end, its neighbour being gone, is made once though the answer is lost', async () => {
  const rest = fakeRest();
  const gone = { code: 'validation_error', errors: [{ field: 'before_id', message: 'no such card', code: 'invalid' }] };
  rest.tasks.create.mockRejectedValueOnce(new ApiError(422, gone));
  rest.tasks.create.mockRejectedValueOnce(new NetworkError());
  rest.tasks.create.mockResolvedValue(task('t9'));
  const outbox = new Outbox(new Rough(), 'anna');
  const world = { pause: async () => {}, now: () => 0, offline: () => false };
  const sender = new Sender(outbox, rest as unknown as Endpoints, world);
  outbox.wake = () => sender.wake();
  sender.start();
  const made = { title: 'New', status: 'todo', before_id: 't1' };
  outbox.add('p', { kind: 'create', op_id: 'op-1', at: 1, task: made }, from);
  for (let turn = 0; turn < 5; turn++) await settled();
  expect(rest.tasks.create.mock.calls.map(([, options]) => options.opId)).toEqual(['op-1', 'op-1.end', 'op-1.end']);
  expect(outbox.get('op-1')).toMatchObject({ state: 'accepted', made: 't9' });
});

describe('a server that wants to be left alone', () => {
  test('is asked again by itself, and every tab knows when', async () => {
    const rest = fakeRest();
    rest.tasks.move.mockRejectedValueOnce(new ApiError(429, { code: 'rate_limited' }, 7));
    rest.tasks.move.mockResolvedValue(task('t1', { version: 2 }));
    const pause = later<void>();
    const outbox = new Outbox(new Rough(), 'anna');
    const own = new OwnChanges('p', 'anna', outbox);
    own.follow(() => {});
    const world = { pause: () => pause.promise, now: () => 1_000, offline: () => false };
    const sender = new Sender(outbox, rest as unknown as Endpoints, world);
    outbox.wake = () => sender.wake();
    sender.start();
    outbox.add('p', move('op-1'), from);
    await settled();
    expect(own.again).toBe(8_000);
    expect(own.failed).toEqual([]);
    pause.resolve();
    await settled();
    expect(own.again).toBeNull();
    expect(outbox.get('op-1')?.state).toBe('accepted');
  });

  test.each([
    ['description', { kind: 'patch', task_id: 't1', fields: { description: 'x' }, seen: 1 }, '50,000'],
    ['comment', { kind: 'comment', task_id: 't1', body: 'x' }, '20,000'],
  ])('says how long a %s may be', (_name, change, limit) => {
    const made = { op_id: 'op-1', at: 1, ...change } as Change;
    for (const problem of [{ status: 413 }, { status: 422, errors: [{ field: 'x', message: '', code: 'too_long' }] }])
      expect(reasonOf({ project: 'p', change: made, state: 'failed', from, problem })).toContain(limit);
  });
});

describe('two texts changed at once', () => {
  test('fit together where the passages differ', () => {
    expect(mergeTexts('a b\nc\n', 'a B\nc\n', 'a b\nC\n')).toEqual({ text: 'a B\nC\n', clean: true });
    expect(mergeTexts('buy bread now', 'buy bread today', 'buy rye bread now')).toEqual({
      text: 'buy rye bread today',
      clean: true,
    });
  });

  test('lose neither side where both changed the same', () => {
    const { text, clean } = mergeTexts('one\n', 'mine\n', 'theirs\n');
    expect(clean).toBe(false);
    expect(text).toBe('theirs\nmine\n');
  });
});
