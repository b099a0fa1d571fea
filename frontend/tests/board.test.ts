import { describe, expect, test, vi } from 'vitest';
import { ApiError } from '../src/lib/server/errors';
import { draftOf } from '../src/lib/task/drafts.svelte';
import {
  board,
  card,
  event,
  FakeLive,
  fakeDevice,
  ids,
  later,
  openBoard,
  settled,
  task,
  taskEvent,
} from './support/board';

const refusal = (status: number, code: string, extra: object = {}) => new ApiError(status, { code, ...extra });

describe('opening', () => {
  test('reads the board, then follows its log from exactly there', async () => {
    const { store, live } = await openBoard();
    expect(store.phase).toBe('ready');
    expect(ids(store, 'todo')).toEqual(['t1', 't2', 't3']);
    expect(live.joins).toEqual([{ since: { epoch: 'e1', seq: 10 } }]);
  });

  test.each([
    ['one may not see', 404, 'not_found'],
    ['whose address is no id', 422, 'invalid'],
  ])('a board %s is missing', async (_which, status, code) => {
    const live = new FakeLive();
    const { BoardStore } = await import('../src/lib/board/board.svelte');
    const rest = { projects: { board: async () => Promise.reject(refusal(status, code)) } };
    const store = new BoardStore('p', { rest: rest as never, live, user: 'anna', device: fakeDevice(rest, 'anna') });
    await store.open();
    expect(store.phase).toBe('missing');
    expect(live.joins).toEqual([]);
  });

  test('closing leaves the room and draws nothing any more', async () => {
    const { store, live } = await openBoard();
    store.close();
    live.emit(taskEvent('task_deleted', 11, task('t1')));
    expect(live.left).toEqual(['p']);
    expect(ids(store, 'todo')).toContain('t1');
  });
});

describe('events', () => {
  test('of others are applied in order', async () => {
    const { store, live } = await openBoard();
    live.emit(taskEvent('task_moved', 11, task('t1', { status: 'done', version: 2 })));
    expect(ids(store, 'done')).toEqual(['t1']);
    expect(store.shown?.seq).toBe(11);
  });

  test('of another project are not', async () => {
    const { store, live } = await openBoard();
    live.emit({ ...taskEvent('task_deleted', 11, task('t1')), project_id: 'other' });
    expect(store.shown?.seq).toBe(10);
  });

  test('a changed role of one’s own counts at once', async () => {
    const { store, live } = await openBoard();
    expect(store.role).toBe('owner');
    live.emit(event('project_member_updated', 11, { user_id: 'anna', name: 'Анна', role: 'viewer' }));
    expect(store.role).toBe('viewer');
  });

  test('a deleted project is left', async () => {
    const { store, live } = await openBoard();
    live.emit(event('project_deleted', 11, {}));
    expect(store.phase).toBe('left');
    expect(store.shown).toBeNull();
  });

  test.each(['revoked', 'deleted'])('a project that is %s leaves no copy on the device', async (reason) => {
    const { store, live } = await openBoard();
    await store.copies?.flush();
    expect(await store.copies?.board(store.id)).toBeTruthy();
    live.emit({ type: 'project_left', data: { reason } });
    expect(store.phase).toBe('left');
    expect(store.shown).toBeNull();
    await vi.waitFor(async () => expect(await store.copies?.board(store.id)).toBeFalsy());
  });
});

test('a room refused while the database is away is joined again, later and later, and the board stays', async () => {
  vi.useFakeTimers();
  try {
    const { store, live } = await openBoard();
    live.emit({ type: 'project_joined', data: { epoch: 'e1', seq: 10 } });
    for (const [number, most] of [500, 1_000, 2_000].entries()) {
      live.joinedRoom = false;
      live.emit({ type: 'project_left', data: { reason: 'bad_request' } });
      expect([store.phase, store.connection.state]).toEqual(['ready', 'catching-up']);
      await vi.advanceTimersByTimeAsync(most / 2 - 1);
      expect(live.joins).toHaveLength(number + 1);
      await vi.advanceTimersByTimeAsync(most / 2 + 1);
      expect(live.joins).toHaveLength(number + 2);
    }
    expect(ids(store, 'todo')).toEqual(['t1', 't2', 't3']);
    live.emit({ type: 'project_joined', data: { epoch: 'e1', seq: 10 } });
    expect(store.connection.state).toBe('live');
  } finally {
    vi.useRealTimers();
  }
});

describe('a change of one’s own', () => {
  test('is drawn before the server has answered', async () => {
    const { store, rest } = await openBoard();
    store.commands.move('t1', { status: 'doing', before_id: 't4' });
    expect(ids(store, 'doing')).toEqual(['t1', 't4']);
    expect(rest.tasks.move).toHaveBeenCalledExactlyOnceWith(
      't1',
      { status: 'doing', before_id: 't4' },
      expect.objectContaining({ tries: 1, opId: store.pending[0]?.change.op_id }),
    );
  });

  test('is settled by its own event, known by op_id, without a second card', async () => {
    const { store, live } = await openBoard();
    store.commands.create({ title: 'New', status: 'todo' });
    expect(ids(store, 'todo')).toHaveLength(4);
    const opId = store.pending[0]?.change.op_id ?? null;
    live.emit(taskEvent('task_created', 11, task('t9', { title: 'New' }), { op_id: opId, user_id: 'anna' }));
    expect(ids(store, 'todo')).toEqual(['t1', 't2', 't3', 't9']);
    expect(store.pending).toEqual([]);
  });

  test('is settled by the answer when the event came first or never comes', async () => {
    const { store, rest } = await openBoard();
    const answer = later<ReturnType<typeof task>>();
    rest.tasks.move.mockReturnValue(answer.promise);
    store.commands.move('t1', { status: 'done' });
    answer.resolve(task('t1', { status: 'done', version: 2, position: 'a7' }));
    await settled();
    expect(ids(store, 'done')).toEqual(['t1']);
    expect(store.pending[0]?.accepted).toBe(true);
    expect(store.card('t1')?.position).toBe('a7');
  });

  test('an answer older than what the log has told since is not drawn', async () => {
    const { store, live, rest } = await openBoard();
    const answer = later<ReturnType<typeof task>>();
    rest.tasks.move.mockReturnValue(answer.promise);
    store.commands.move('t1', { status: 'done' });
    live.emit(taskEvent('task_moved', 11, task('t1', { status: 'done', version: 2 }), { op_id: 'somebody' }));
    live.emit(taskEvent('task_moved', 12, task('t1', { status: 'doing', version: 3 })));
    answer.resolve(task('t1', { status: 'done', version: 2 }));
    await settled();
    expect(store.pending).toEqual([]);
    expect(ids(store, 'done')).toEqual([]);
    expect(ids(store, 'doing')).toContain('t1');
  });

  test('that is refused is taken back and kept with the reason, to be tried again or given up', async () => {
    const { store, rest } = await openBoard();
    rest.tasks.move.mockRejectedValueOnce(refusal(403, 'forbidden'));
    store.commands.move('t1', { status: 'done' });
    expect(ids(store, 'done')).toEqual(['t1']);
    await settled();
    expect(ids(store, 'done')).toEqual([]);
    expect(ids(store, 'todo')).toEqual(['t1', 't2', 't3']);
    expect(store.own.failed).toMatchObject([{ change: { kind: 'move' }, problem: { status: 403, code: 'forbidden' } }]);
    expect(store.own.marks.get('t1')).toBe('failed');
    const op = store.own.failed[0]?.change.op_id as string;
    store.retry(op);
    expect(ids(store, 'done')).toEqual(['t1']);
    expect(store.own.marks.get('t1')).toBe('pending');
    await settled();
    expect(rest.tasks.move.mock.calls.map(([, , options]) => options.opId)).toEqual([op, op]);
  });

  test('given up after a refusal leaves its text where it was typed', async () => {
    const { store, rest } = await openBoard();
    rest.tasks.create.mockRejectedValueOnce(refusal(422, 'validation_error'));
    store.commands.create({ title: 'Too much', status: 'todo' });
    await settled();
    const [failed] = store.own.failed;
    expect(store.cards.get('todo')?.at(-1)?.title).toBe('Too much');
    store.own.discard(failed?.change.op_id as string);
    expect(ids(store, 'todo')).toEqual(['t1', 't2', 't3']);
    expect(draftOf('anna', 'card', 'p', 'todo').text).toBe('Too much');
  });

  test('survives the events of others', async () => {
    const { store, live } = await openBoard();
    store.commands.move('t1', { status: 'doing', after_id: 't4' });
    live.emit(taskEvent('task_updated', 11, task('t4', { status: 'doing', title: 'Renamed', version: 2 })));
    live.emit(taskEvent('task_deleted', 12, task('t2')));
    expect(ids(store, 'doing')).toEqual(['t4', 't1']);
    expect(ids(store, 'todo')).toEqual(['t3']);
  });

  test('goes out one after the other, a card’s move after its creation and under its real id', async () => {
    const { store, rest } = await openBoard();
    const made = later<ReturnType<typeof task>>();
    rest.tasks.create.mockReturnValue(made.promise);
    store.commands.create({ title: 'New', status: 'todo' });
    const temporary = ids(store, 'todo').at(-1) as string;
    store.commands.move(temporary, { status: 'done' });
    expect(ids(store, 'done')).toEqual([temporary]);
    expect(rest.tasks.move).not.toHaveBeenCalled();
    made.resolve(task('t9', { title: 'New' }));
    await settled();
    expect(rest.tasks.move).toHaveBeenCalledExactlyOnceWith('t9', { status: 'done' }, expect.anything());
  });

  test('next to a card that has gone meanwhile goes to the end of the column', async () => {
    const { store, rest } = await openBoard();
    const errors = [{ field: 'before_id', message: 'is not there', code: 'invalid' }];
    rest.tasks.move.mockRejectedValueOnce(refusal(422, 'validation_error', { errors }));
    rest.tasks.move.mockResolvedValueOnce(task('t1', { status: 'doing', version: 2, position: 'z' }));
    store.commands.move('t1', { status: 'doing', before_id: 't4' });
    await settled();
    expect(rest.tasks.move.mock.calls.map(([, where]) => where)).toEqual([
      { status: 'doing', before_id: 't4' },
      { status: 'doing' },
    ]);
    const [first, second] = rest.tasks.move.mock.calls.map(([, , options]) => options.opId);
    expect(second).not.toBe(first);
    expect(ids(store, 'doing')).toEqual(['t4', 't1']);
  });

  test('is kept on this device until it is answered, and sent again by the next visit under the same key', async () => {
    const first = await openBoard();
    first.store.commands.create({ title: 'Written on a train', status: 'todo' });
    const key = first.rest.tasks.create.mock.calls[0]?.[1].opId;
    first.store.close();
    const second = await openBoard();
    expect(second.store.cards.get('todo')?.at(-1)?.title).toBe('Written on a train');
    expect(second.rest.tasks.create.mock.calls[0]?.[1].opId).toBe(key);
  });

  test('leaves the device once a board that shows it is there', async () => {
    const { store, rest, live, device } = await openBoard();
    const kept = () => Object.keys(localStorage).filter((key) => key.includes('outbox')).length;
    rest.tasks.move.mockResolvedValue(task('t1', { status: 'done', version: 2 }));
    store.commands.move('t1', { status: 'done' });
    await settled();
    expect(kept()).toBe(1);
    const op_id = store.pending[0]?.change.op_id ?? null;
    live.emit(taskEvent('task_moved', 11, task('t1', { status: 'done', version: 2 }), { op_id }));
    expect(store.pending).toEqual([]);
    await device.copies?.flush();
    await settled();
    expect(kept()).toBe(0);
  });
});

describe('while something is dragged', () => {
  test('nothing on the screen changes, and all of it does on release', async () => {
    const { store, live } = await openBoard();
    const release = store.hold();
    live.emit(taskEvent('task_deleted', 11, task('t2')));
    live.emit(taskEvent('task_moved', 12, task('t4', { status: 'todo', version: 2 })));
    expect(ids(store, 'todo')).toEqual(['t1', 't2', 't3']);
    store.commands.move('t1', { status: 'done' });
    release();
    release();
    expect(ids(store, 'todo')).toEqual(['t3', 't4']);
    expect(ids(store, 'done')).toEqual(['t1']);
  });

  test('two holds end with the second', async () => {
    const { store, live } = await openBoard();
    const [one, two] = [store.hold(), store.hold()];
    live.emit(taskEvent('task_deleted', 11, task('t2')));
    one();
    expect(ids(store, 'todo')).toContain('t2');
    two();
    expect(ids(store, 'todo')).not.toContain('t2');
  });
});

describe('when the log cannot be followed', () => {
  test('the board is read again and the log goes on from there', async () => {
    let present = board();
    const { store, live, rest } = await openBoard();
    present = board({ seq: 2_000, epoch: 'e2', tasks: [card('t1', { title: 'Fresh', version: 9 })] });
    rest.projects.board.mockResolvedValue(present);
    live.emit({ type: 'resync', data: { epoch: 'e2', seq: 2_000, reason: 'too_far' } });
    await settled();
    expect(store.card('t1')?.title).toBe('Fresh');
    expect(live.cursorSet).toEqual({ epoch: 'e2', seq: 2_000 });
  });

  test('changes not yet answered stay on top, answered ones are in the board already', async () => {
    const { store, live, rest } = await openBoard();
    rest.tasks.move.mockResolvedValueOnce(task('t1', { status: 'done', version: 2 }));
    store.commands.move('t1', { status: 'done' });
    await settled();
    store.commands.move('t2', { status: 'done' });
    // Somebody took the first back before the board was read.
    rest.projects.board.mockResolvedValue(board({ seq: 50, tasks: [card('t1', { version: 5 }), card('t2')] }));
    live.emit({ type: 'resync', data: { reason: 'too_far' } });
    await settled();
    expect(ids(store, 'todo')).toEqual(['t1']);
    expect(ids(store, 'done')).toEqual(['t2']);
    expect(store.pending).toHaveLength(1);
  });

  test('a card made here and deleted there meanwhile stays deleted', async () => {
    const { store, live, rest } = await openBoard();
    rest.tasks.create.mockResolvedValueOnce(task('t9', { title: 'New' }));
    store.commands.create({ title: 'New', status: 'todo' });
    await settled();
    expect(ids(store, 'todo')).toContain('t9');
    rest.projects.board.mockResolvedValue(board({ seq: 50 }));
    live.emit({ type: 'resync', data: { reason: 'too_far' } });
    await settled();
    expect(ids(store, 'todo')).toEqual(['t1', 't2', 't3']);
  });

  test('a board that may not be read any more is left', async () => {
    const { store, live, rest } = await openBoard();
    rest.projects.board.mockRejectedValue(refusal(404, 'not_found'));
    live.emit({ type: 'resync', data: { reason: 'epoch_changed' } });
    await settled();
    expect(store.phase).toBe('left');
  });

  test('after a new sign-in the room is joined again', async () => {
    const { live } = await openBoard();
    live.joinedRoom = false;
    live.enter('closed');
    live.enter('open');
    expect(live.joins).toHaveLength(2);
  });
});

describe('the connection', () => {
  test('is live once the board stands where the log stood at the join', async () => {
    const { store, live } = await openBoard();
    live.emit({ type: 'project_joined', data: { epoch: 'e1', seq: 12, recovered: true } });
    expect(store.connection.state).toBe('catching-up');
    expect(store.connection.behind).toBe(2);
    live.emit(taskEvent('task_updated', 11, task('t1', { version: 2 })));
    live.emit(taskEvent('task_updated', 12, task('t1', { version: 3 })));
    expect(store.connection.state).toBe('live');
  });

  test('is not live again before the server has said where the log stands', async () => {
    const { store, live } = await openBoard();
    live.emit({ type: 'project_joined', data: { epoch: 'e1', seq: 10, recovered: true } });
    expect(store.connection.state).toBe('live');
    live.enter('waiting');
    live.enter('open');
    expect(store.connection.state).toBe('catching-up');
    live.emit({ type: 'project_joined', data: { epoch: 'e1', seq: 10, recovered: true } });
    expect(store.connection.state).toBe('live');
  });

  test('goes through reconnecting; what the server has ended is not offline, what has no network is', async () => {
    const { store, live } = await openBoard();
    live.enter('waiting');
    expect(store.connection.state).toBe('reconnecting');
    live.enter('closed');
    expect(store.connection.state).toBe('ended');
    vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false);
    dispatchEvent(new Event('offline'));
    expect(store.connection.state).toBe('offline');
  });
});

describe('conflicts', () => {
  const conflict = (fields: string[], sides: object) =>
    refusal(409, 'version_conflict', { fields, current: task('t1', { version: 5 }), ...sides });

  test('of one field are put to the person; theirs stays on the board meanwhile', async () => {
    const { store, rest } = await openBoard();
    const sides = { mine: { title: 'Mine' }, theirs: { title: 'Theirs' }, base: { title: 'Card t1' } };
    rest.tasks.update.mockRejectedValueOnce(conflict(['title'], sides));
    store.commands.patch('t1', { title: 'Mine' });
    await settled();
    expect(store.own.conflicts).toMatchObject([{ fields: ['title'], ...sides }]);
    expect(store.card('t1')?.title).toBe('Card t1');
  });

  test('keeping mine sends it again against the new version; keeping theirs sends nothing', async () => {
    const { store, rest } = await openBoard();
    const sides = { mine: { title: 'Mine' }, theirs: { title: 'Theirs' }, base: null };
    for (const mine of [true, false]) {
      rest.tasks.update.mockReset().mockRejectedValueOnce(conflict(['title'], sides));
      rest.tasks.update.mockResolvedValue(task('t1', { title: 'Mine', version: 6 }));
      store.commands.patch('t1', { title: 'Mine' });
      await settled();
      const [waiting] = store.own.conflicts;
      if (waiting) store.own.resolve(waiting, mine ? { title: 'Mine' } : { title: 'Theirs' });
      await settled();
      expect(store.own.conflicts).toEqual([]);
      expect(rest.tasks.update).toHaveBeenCalledTimes(mine ? 2 : 1);
      if (mine) expect(rest.tasks.update.mock.calls[1]?.[2].ifMatch).toBe(5);
    }
  });

  test('of sets and lists are merged without asking', async () => {
    const { store, rest } = await openBoard();
    const sides = { base: { label_ids: ['l1'] }, mine: { label_ids: ['l1', 'l2'] }, theirs: { label_ids: ['l3'] } };
    rest.tasks.update.mockRejectedValueOnce(conflict(['label_ids'], sides));
    store.commands.patch('t1', { label_ids: ['l1', 'l2'] });
    await settled();
    expect(store.own.conflicts).toEqual([]);
    expect(rest.tasks.update.mock.calls[1]?.[1]).toEqual({ label_ids: ['l3', 'l2'] });
    expect(rest.tasks.update.mock.calls[1]?.[2].ifMatch).toBe(5);
  });

  test('two quick changes of one field by one person are none', async () => {
    const { store, rest } = await openBoard();
    const first = later<ReturnType<typeof task>>();
    rest.tasks.update.mockReturnValueOnce(first.promise);
    store.commands.patch('t1', { priority: 'low' });
    store.commands.patch('t1', { priority: 'high' });
    first.resolve(task('t1', { priority: 'low', version: 2 }));
    await settled();
    expect(rest.tasks.update.mock.calls.map(([, , options]) => options.ifMatch)).toEqual([1, 2]);
  });
});

describe('steps by key', () => {
  test('go up, down and to the neighbouring column, and stop at the edges', async () => {
    const { store, rest } = await openBoard();
    const step = (direction: 'up' | 'down' | 'left' | 'right' | 'top' | 'bottom') =>
      store.commands.step(store.card('t2') as never, direction);
    step('up');
    expect(ids(store, 'todo')).toEqual(['t2', 't1', 't3']);
    step('up');
    expect(rest.tasks.move).toHaveBeenCalledTimes(1);
    step('bottom');
    expect(ids(store, 'todo')).toEqual(['t1', 't3', 't2']);
    step('right');
    expect(ids(store, 'doing')).toEqual(['t4', 't2']);
    step('right');
    step('right');
    expect(ids(store, 'done')).toEqual(['t2']);
  });
});
