import { expect, test, vi } from 'vitest';
import { MyWork } from '../src/lib/lists/my-work.svelte';
import type { Endpoints } from '../src/lib/server/endpoints';
import type { Mention, MyTask } from '../src/lib/types';
import { board, card, event, FakeLive, fakeRest, settled, task, taskEvent } from './support/board';

const mine = (id: string, over: Partial<MyTask> = {}): MyTask => ({
  ...card(id, { assignee_ids: ['anna'] }),
  project: { id: 'p', key: 'WEB', name: 'Сайт' },
  column: { key: 'todo', name: 'To do', is_done: false },
  ...over,
});

async function open(tasks: MyTask[]) {
  const live = new FakeLive();
  const server = { tasks, focused: null as string | null };
  const me = {
    tasks: vi.fn(async () => [...server.tasks]),
    mentions: vi.fn(async () => ({ items: [] as Mention[], next_cursor: null })),
  };
  const rest = { ...fakeRest(), me };
  rest.tasks.move.mockImplementation(async (id) => task(id));
  const work = new MyWork({
    rest: rest as unknown as Endpoints,
    live,
    user: 'anna',
    focused: () => server.focused,
    later: (run) => run(),
  });
  work.start();
  await settled();
  return { work, live, rest, server, me };
}
const shown = (work: MyWork) => work.rows?.map((row) => row.task.id + (row.left ? ' left' : ''));

test('an event that concerns the person has the list read again, another does not', async () => {
  const { work, live, server, me } = await open([mine('t1')]);
  live.emit(taskEvent('task_updated', 11, task('t9', { assignee_ids: ['boris'] })));
  await settled();
  expect(me.tasks).toHaveBeenCalledTimes(1);
  server.tasks = [mine('t1'), mine('t2')];
  live.emit(taskEvent('task_assigned', 12, task('t2', { assignee_ids: ['anna'] })));
  await settled();
  expect(shown(work)).toEqual(['t1', 't2']);
  server.tasks = [mine('t2')];
  live.emit(taskEvent('task_moved', 13, task('t1', { status: 'done' })));
  await settled();
  expect(shown(work)).toEqual(['t2']);
});

test('a task ticked off goes to the done column, and stays crossed out until one moves on', async () => {
  const { work, live, rest, server } = await open([mine('t1'), mine('t2')]);
  expect(await work.finish(mine('t1'))).toBe('done');
  expect(rest.tasks.move).toHaveBeenCalledWith('t1', { status: 'done' }, {});
  server.tasks = [mine('t2')];
  live.emit(taskEvent('task_moved', 11, task('t1', { status: 'done' })));
  await settled();
  expect(shown(work)).toEqual(['t1 left', 't2']);
  work.tidy();
  expect(shown(work)).toEqual(['t2']);
});

test('ticking it again puts it back where it was', async () => {
  const { work, rest } = await open([mine('t1', { status: 'doing' })]);
  await work.finish(mine('t1', { status: 'doing' }));
  await work.reopen(mine('t1', { status: 'doing' }));
  expect(rest.tasks.move).toHaveBeenLastCalledWith('t1', { status: 'doing' }, {});
  expect(shown(work)).toEqual(['t1']);
});

test('where no column is for what is done, nothing moves and it says so', async () => {
  const { work, rest } = await open([mine('t1')]);
  const columns = board().columns.map((column) => ({ ...column, is_done: false }));
  rest.projects.board.mockResolvedValue(board({ columns }));
  expect(await work.finish(mine('t1'))).toBe('no column');
  expect(rest.tasks.move).not.toHaveBeenCalled();
  expect(shown(work)).toEqual(['t1']);
});

test('the row under the keyboard is not taken away by somebody else', async () => {
  const { work, live, server } = await open([mine('t1'), mine('t2')]);
  server.focused = 't2';
  server.tasks = [mine('t1')];
  live.emit(taskEvent('task_deleted', 11, task('t2')));
  await settled();
  expect(shown(work)).toEqual(['t1', 't2 left']);
  server.focused = null;
  work.tidy();
  expect(shown(work)).toEqual(['t1']);
});

test('a mention is shown as it comes', async () => {
  const { work, live, me } = await open([]);
  const mention = { id: 'c1', body: '@Анна', author_name: 'Борис' } as Mention;
  me.mentions.mockResolvedValue({ items: [mention], next_cursor: null });
  live.emit(event('comment_added', 11, { comment_id: 'c1', task_id: 't1', mentions: ['anna'], comment_count: 1 }));
  await settled();
  expect(work.mentions).toEqual([mention]);
});

test('rooms are joined once, left at the end, and again after another part of the page left one', async () => {
  const { work, live } = await open([]);
  work.join(['p']);
  work.join(['p']);
  expect(live.joins).toHaveLength(1);
  live.joinedRoom = false;
  work.join(['p']);
  expect(live.joins).toHaveLength(2);
  work.stop();
  expect(live.left).toEqual(['p']);
});
