import { describe, expect, test, vi } from 'vitest';
import { changeList, type Deed, placementIn, plan, reverse, spotOf, UndoStack } from '../src/lib/board/undo';
import { toasts } from '../src/lib/page/announcer.svelte';
import { ApiError, NetworkError } from '../src/lib/server/errors';
import type { Column, Comment, Label, TaskPatch } from '../src/lib/types';
import { AT, board, card, event, ids, later, openBoard, settled, task, taskEvent } from './support/board';

const COLUMN = ['a', 'b', 'c', 'd', 'e'];

describe('a card goes back', () => {
  const spot = spotOf('todo', COLUMN, 'c');

  test.each([
    ['between its old neighbours', ['a', 'b', 'd', 'e'], { before_id: 'd' }],
    ['behind the upper one where the lower has gone', ['a', 'b', 'e'], { after_id: 'b' }],
    ['before the lower one where the upper has gone', ['a', 'd', 'e'], { before_id: 'd' }],
    ['next to the nearest that is left', ['x', 'e', 'y'], { before_id: 'e' }],
    ['to its old neighbours wherever they stand now', ['e', 'd', 'b', 'a'], { before_id: 'd' }],
    ['to the end where nobody is left', ['x', 'y'], {}],
  ])('%s', (_name, here, to) => {
    expect(placementIn(spot, here)).toEqual({ status: 'todo', ...to });
  });

  test('to the top or the end it came from', () => {
    expect(placementIn(spotOf('todo', COLUMN, 'a'), ['x', 'y'])).toEqual({ status: 'todo', before_id: 'x' });
    expect(placementIn(spotOf('todo', COLUMN, 'e'), ['a', 'b', 'c', 'd', 'new'])).toEqual({
      status: 'todo',
      after_id: 'd',
    });
    expect(placementIn(spotOf('todo', ['a'], 'a'), [])).toEqual({ status: 'todo' });
  });
});

describe('of a list', () => {
  test.each([
    ['an addition is taken back', ['a', 'b'], ['a', 'b'], ['a'], ['a']],
    ['what others added stays', ['a', 'b', 'theirs'], ['a', 'b'], ['a'], ['a', 'theirs']],
    ['what others removed stays away', ['b'], ['a', 'b'], ['a'], []],
    ['a removal comes back', ['theirs'], [], ['a'], ['theirs', 'a']],
  ])('%s', (_name, now, before, after, result) => {
    expect(changeList(now, before, after)).toEqual(result);
  });
});

describe('a plan', () => {
  const patch = (before: TaskPatch, after: TaskPatch): Deed => ({ kind: 'patch', id: 't1', before, after, seen: 1 });
  const changed = (over: object) => board({ tasks: [card('t1', { version: 7, ...over }), card('t2')] });

  test('puts a field back against the version it was seen at', () => {
    const undo = reverse(patch({ due: null }, { due: '2026-12-01' }));
    expect(plan(undo, changed({ due: '2026-12-01' }))).toEqual({
      kind: 'patch',
      id: 't1',
      fields: { due: null },
      seen: 7,
    });
  });

  test('is blocked by a later edit of the same field, and by none of another', () => {
    const undo = reverse(patch({ priority: 'none' }, { priority: 'high' }));
    const theirs = changed({ priority: 'low', title: 'theirs' });
    expect(plan(undo, theirs)).toEqual({ kind: 'blocked', id: 't1' });
    expect(plan(undo, theirs, { force: true })).toMatchObject({ kind: 'patch', fields: { priority: 'none' } });
    expect(plan(undo, changed({ priority: 'high', title: 'theirs' }))).toMatchObject({ fields: { priority: 'none' } });
  });

  test('does nothing where it is so already', () => {
    const undo = reverse(patch({ priority: 'none' }, { priority: 'high' }));
    expect(plan(undo, changed({ priority: 'none' }))).toEqual({ kind: 'nothing' });
  });

  test('guards a description, which no card shows, by the version it was written at', () => {
    const undo = reverse(patch({ description: 'old' }, { description: 'new' }));
    expect(plan(undo, changed({}))).toMatchObject({ fields: { description: 'old' }, seen: 1 });
  });

  test('takes back a checklist item that had no id when it was written', () => {
    const mine = { text: 'mine', done: false };
    const undo = reverse(patch({ checklist: [] }, { checklist: [mine] }));
    const now = changed({
      checklist: [
        { id: 'i1', ...mine },
        { id: 'i2', text: 'theirs', done: false },
      ],
    });
    expect(plan(undo, now)).toMatchObject({ fields: { checklist: [{ id: 'i2', text: 'theirs' }] } });
  });

  test('of a move is blocked once somebody moved the card on, and gone with its column', () => {
    const move: Deed = {
      kind: 'move',
      id: 't1',
      from: { status: 'todo', above: [], below: ['t2'] },
      to: { status: 'doing', above: [], below: [] },
    };
    expect(plan(reverse(move), changed({ status: 'doing' }))).toEqual({
      kind: 'move',
      id: 't1',
      to: { status: 'todo', before_id: 't2' },
    });
    expect(plan(reverse(move), changed({ status: 'done' }))).toEqual({ kind: 'blocked', id: 't1' });
    const without = { ...changed({ status: 'doing' }), columns: [] };
    expect(plan(reverse(move), without)).toEqual({ kind: 'gone', id: 't1' });
  });

  test('drops labels that are no more', () => {
    const undo = reverse(patch({ label_ids: ['l1', 'lost'] }, { label_ids: [] }));
    expect(plan(undo, changed({ label_ids: [] }))).toMatchObject({ fields: { label_ids: ['l1'] } });
  });
});

describe('the stack', () => {
  const entry = (text: string, ops = [text]) => ({ text, deeds: [], ops });

  test('goes back and forth, and a new deed ends the way forth', () => {
    const stack = new UndoStack();
    stack.push(entry('a'));
    stack.push(entry('b'));
    expect(stack.undo()?.text).toBe('b');
    expect(stack.redo()?.text).toBe('b');
    expect(stack.undo()?.text).toBe('b');
    stack.push(entry('c'));
    expect(stack.redo()).toBeUndefined();
    expect([stack.undo()?.text, stack.undo()?.text, stack.undo()]).toEqual(['c', 'a', undefined]);
  });

  test('forgets what the server refused', () => {
    const stack = new UndoStack();
    stack.push(entry('a'));
    stack.push(entry('b', ['op']));
    stack.forget('op');
    expect(stack.undo()?.text).toBe('a');
  });

  test('keeps the last hundred', () => {
    const stack = new UndoStack();
    for (let index = 0; index < 150; index++) stack.push(entry(String(index)));
    let count = 0;
    while (stack.undo()) count++;
    expect(count).toBe(100);
  });
});

const lastToast = () => toasts.list.at(-1);

describe('on a board', () => {
  test('a move goes back to its place beside what others moved meanwhile, and forth again', async () => {
    const { store, live, rest } = await openBoard();
    store.commands.move('t2', { status: 'done' });
    live.emit(taskEvent('task_moved', 11, task('t3', { status: 'doing', version: 2 })));
    store.commands.history.undo();
    await settled();
    expect(ids(store, 'todo')).toEqual(['t1', 't2']);
    store.commands.history.redo();
    await settled();
    expect(ids(store, 'done')).toEqual(['t2']);
    expect(rest.tasks.move).toHaveBeenCalledTimes(1);
  });

  test('the message of a move takes it back, and there is one message at a time', async () => {
    const { store } = await openBoard();
    store.commands.move('t1', { status: 'done' });
    store.commands.move('t2', { status: 'done' });
    const offers = toasts.list.filter(({ action }) => action?.label === 'Undo');
    expect(offers.map(({ text }) => text)).toEqual(['WEB-2 moved to Done']);
    offers[0]?.action?.run();
    await settled();
    expect(ids(store, 'todo')).toEqual(['t2', 't3']);
    expect(lastToast()?.text).toBe('Undone: WEB-2 moved to Done');
  });

  test('several cards moved together are one step', async () => {
    const { store } = await openBoard();
    store.commands.together('2 cards moved', () => {
      for (const id of ['t1', 't3']) store.commands.move(id, { status: 'done' });
    });
    expect(ids(store, 'done')).toEqual(['t1', 't3']);
    store.commands.history.undo();
    await settled();
    expect(ids(store, 'todo')).toEqual(['t1', 't2', 't3']);
  });

  test('a teammate’s later edit is not overwritten; the person is told, and may insist', async () => {
    const { store, live } = await openBoard();
    store.commands.patch('t1', { priority: 'high' });
    live.emit(taskEvent('task_updated', 11, task('t1', { priority: 'urgent', version: 3 })));
    const before = store.pending.length;
    // The overlay shows one’s own change on top until it is answered.
    live.emit(
      taskEvent('task_updated', 12, task('t1', { priority: 'low', version: 4 }), {
        op_id: store.pending[0]?.change.op_id ?? null,
      }),
    );
    store.commands.history.undo();
    await settled();
    expect(store.card('t1')?.priority).toBe('low');
    expect(before).toBe(1);
    expect(lastToast()).toMatchObject({ text: 'WEB-1: changed by somebody else since' });
    lastToast()?.action?.run();
    await settled();
    expect(store.card('t1')?.priority).toBe('none');
  });

  test('a deleted card comes back where it was, before the server has answered', async () => {
    const { store, rest } = await openBoard();
    rest.tasks.delete.mockResolvedValue(undefined);
    store.commands.delete(store.card('t2') as never);
    await settled();
    expect(ids(store, 'todo')).toEqual(['t1', 't3']);
    store.commands.history.undo();
    await settled();
    expect(ids(store, 'todo')).toEqual(['t1', 't2', 't3']);
    expect(rest.tasks.restore).toHaveBeenCalledWith('t2', expect.anything());
  });

  test('a card made here is deleted under the id the server gave it', async () => {
    const { store, rest, live } = await openBoard();
    rest.tasks.create.mockResolvedValue(task('t9', { position: 'a9' }));
    store.commands.create({ title: 'New', status: 'todo' });
    const op = store.pending[0]?.change.op_id ?? '';
    live.emit(taskEvent('task_created', 11, task('t9', { position: 'a9' }), { user_id: 'anna', op_id: op }));
    await settled();
    store.commands.history.undo();
    await settled();
    expect(ids(store, 'todo')).toEqual(['t1', 't2', 't3']);
    expect(rest.tasks.delete).toHaveBeenCalledWith('t9', expect.anything());
  });

  describe('a comment', () => {
    const made = { id: 'c1', task_id: 't1', body: 'hello', created_at: AT } as Comment;

    /** A board with a comment that the network is away for, behind another change that was sent into the void. */
    async function offline() {
      const opened = await openBoard();
      const move = later<never>();
      const { rest, store } = opened;
      rest.tasks.move.mockReturnValueOnce(move.promise);
      rest.tasks.move.mockResolvedValue(task('t2', { status: 'done', version: 2 }));
      rest.comments.add.mockResolvedValue(made);
      rest.comments.delete.mockResolvedValue(undefined);
      rest.comments.restore.mockResolvedValue(made);
      store.commands.move('t2', { status: 'done' });
      const online = async () => {
        move.reject(new NetworkError());
        for (let turn = 0; turn < 5; turn++) await settled();
      };
      return { ...opened, online };
    }
    const steps = ({ add, delete: remove, restore }: Awaited<ReturnType<typeof offline>>['rest']['comments']) =>
      [add, remove, restore].map((call) => call.mock.calls.length);

    test('that was not sent is never sent, unless it is wanted again', async () => {
      const { store, rest, online } = await offline();
      const { history } = store.commands;
      store.commands.comment('t1', 'hello');
      history.undo();
      await settled();
      expect(store.card('t1')?.comment_count).toBe(0);
      history.redo();
      await settled();
      history.undo();
      await settled();
      await online();
      expect(steps(rest.comments)).toEqual([0, 0, 0]);
      history.redo();
      await settled();
      expect(steps(rest.comments)).toEqual([1, 0, 0]);
    });

    test('that a device without network tried to send is not sent', async () => {
      const onLine = vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false);
      const { store, rest, device } = await openBoard();
      rest.comments.add.mockImplementation(async () => {
        device.sender?.stop();
        throw new NetworkError();
      });
      store.commands.comment('t1', 'hello');
      await settled();
      expect(rest.comments.add).toHaveBeenCalledOnce();
      store.commands.history.undo();
      expect(device.outbox?.waiting).toBe(0);
      onLine.mockRestore();
    });

    test('that may have been made is deleted once it has a name, and comes back under it', async () => {
      const { store, rest } = await openBoard();
      const { history } = store.commands;
      const answer = later<Comment>();
      rest.comments.add.mockReturnValue(answer.promise);
      rest.comments.delete.mockResolvedValue(undefined);
      rest.comments.restore.mockResolvedValue(made);
      store.commands.comment('t1', 'hello');
      history.undo();
      await settled();
      expect(rest.comments.delete).not.toHaveBeenCalled();
      answer.resolve(made);
      await settled();
      expect(rest.comments.delete).toHaveBeenCalledWith('c1', expect.anything());
      history.redo();
      await settled();
      expect(rest.comments.restore).toHaveBeenCalledWith('c1', expect.anything());
      history.undo();
      await settled();
      expect(rest.comments.delete).toHaveBeenCalledTimes(2);
    });

    test('is known by its event, too, where the answer was lost', async () => {
      const { store, rest, live, device } = await openBoard();
      const answer = later<Comment>();
      rest.comments.add.mockReturnValue(answer.promise);
      rest.comments.delete.mockResolvedValue(undefined);
      store.commands.comment('t1', 'hello');
      const op_id = store.pending[0]?.change.op_id ?? '';
      live.emit(event('comment_added', 11, { comment_id: 'c1', task_id: 't1', comment_count: 1 }, { op_id }));
      device.outbox?.settle([op_id]);
      store.commands.history.undo();
      answer.reject(new NetworkError());
      await settled();
      expect(rest.comments.delete).toHaveBeenCalledWith('c1', expect.anything());
    });

    test('that was refused takes its deletion along', async () => {
      const { store, rest } = await openBoard();
      const answer = later<Comment>();
      rest.comments.add.mockReturnValue(answer.promise);
      store.commands.comment('t1', 'hello');
      store.commands.history.undo();
      answer.reject(new ApiError(403, { code: 'forbidden' }));
      await settled();
      store.own.discard(store.own.failed[0]?.change.op_id ?? '');
      await settled();
      expect([store.own.failed.length, store.pending.length]).toEqual([0, 0]);
      expect(rest.comments.delete).not.toHaveBeenCalled();
    });

    test('whose deletion was not sent stays', async () => {
      const { store, rest, online } = await offline();
      store.commands.deleteComment(made);
      store.commands.history.undo();
      await settled();
      await online();
      expect(steps(rest.comments)).toEqual([0, 0, 0]);
    });

    test('whose deletion is under way comes back after it', async () => {
      const { store, rest } = await openBoard();
      const deletion = later<undefined>();
      rest.comments.delete.mockReturnValue(deletion.promise);
      rest.comments.restore.mockResolvedValue(made);
      store.commands.deleteComment(made);
      store.commands.history.undo();
      await settled();
      expect(rest.comments.restore).not.toHaveBeenCalled();
      deletion.resolve(undefined);
      await settled();
      expect(rest.comments.restore).toHaveBeenCalledWith('c1', expect.anything());
    });
  });

  test('a column renamed by somebody else since keeps their name, and gets the old limit back', async () => {
    const { store, rest, live } = await openBoard();
    const update = vi.fn(async () => undefined);
    Object.assign(rest, { columns: { update } });
    const column = store.columns[1] as Column;
    await store.commands.parts.updateColumn(column, { name: 'Mine', wip_limit: 3 });
    const { id: column_id, ...rest_of_it } = column;
    live.emit(event('column_updated', 11, { ...rest_of_it, column_id, name: 'Theirs', wip_limit: 3 }));
    store.commands.history.undo();
    await settled();
    expect(update).toHaveBeenLastCalledWith('p', column.id, { wip_limit: null });
    expect(lastToast()).toMatchObject({ text: 'Theirs: changed by somebody else since' });
    lastToast()?.action?.run();
    await settled();
    expect(update).toHaveBeenLastCalledWith('p', column.id, { name: column.name, wip_limit: null });
  });

  test('a column moved and taken back goes to its old place, and says nothing of others', async () => {
    const { store, rest } = await openBoard();
    const update = vi.fn(async () => undefined);
    Object.assign(rest, { columns: { update } });
    const [first, second] = store.columns as [Column, Column];
    await store.commands.parts.updateColumn(first, { after_id: second.id });
    store.commands.history.undo();
    await settled();
    expect(update).toHaveBeenLastCalledWith('p', first.id, { before_id: second.id });
    expect(lastToast()?.text).toContain('Undone');
  });

  test('a label that somebody else deleted since is told to be gone', async () => {
    const { store, rest, live } = await openBoard();
    const update = vi.fn(async () => undefined);
    Object.assign(rest, { labels: { update } });
    await store.commands.parts.updateLabel(store.labels.get('l1') as Label, { name: 'defect' });
    live.emit(event('label_deleted', 11, { label_id: 'l1' }));
    store.commands.history.undo();
    await settled();
    expect(update).toHaveBeenCalledTimes(1);
    expect(lastToast()?.text).toBe('bug: no longer on the board');
  });

  test('a deleted label comes back, on the cards that had it', async () => {
    const { store, rest, live } = await openBoard({ start: board({ tasks: [card('t1', { label_ids: ['l1'] })] }) });
    const labels = { delete: vi.fn(async () => undefined), create: vi.fn(async () => ({ id: 'l9' })) };
    Object.assign(rest, { labels });
    rest.tasks.update.mockResolvedValue(task('t1'));
    await store.commands.parts.deleteLabel(store.labels.get('l1') as Label);
    live.emit(event('label_deleted', 11, { label_id: 'l1' }));
    store.commands.history.undo();
    await settled();
    expect(labels.create).toHaveBeenCalledWith('p', { name: 'bug', color: '#c62828' });
    expect(rest.tasks.update).toHaveBeenCalledWith('t1', { label_ids: ['l9'] }, {});
  });

  test('what the server refused cannot be undone', async () => {
    const { store, rest } = await openBoard();
    rest.tasks.move.mockRejectedValue(new ApiError(404, { code: 'not_found' }));
    store.commands.move('t1', { status: 'done' });
    await settled();
    store.commands.history.undo();
    expect(lastToast()?.text).toBe('Nothing to undo');
  });
});
