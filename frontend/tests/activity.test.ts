import { describe, expect, test } from 'vitest';
import { tell } from '../src/lib/task/activity';
import { ActivityLog } from '../src/lib/task/activity-log.svelte';
import { sentence } from '../src/lib/task/activity-text';
import type { BoardEvent, Task } from '../src/lib/types';
import { i18n } from '../src/lib/words/i18n.svelte';
import { event, openBoard, settled, task, taskEvent } from './support/board';

const changed = (seq: number, changes: string[], over: Partial<Task>, type = 'task_updated') => {
  const made = taskEvent(type, seq, task('t1', over));
  return { ...made, data: { ...(made.data as object), changes } } as unknown as BoardEvent;
};
const said = (events: BoardEvent[]) => tell(events).map(({ happenings }) => happenings);
const NOW = new Date('2026-11-22T12:00:00Z');

describe('what happened', () => {
  test('says from what to what, by the event before', () => {
    const events = [
      changed(3, ['status', 'position'], { status: 'done' }, 'task_moved'),
      event('comment_added', 2, { task_id: 't1' }) as unknown as BoardEvent,
      changed(1, [], {}, 'task_created'),
    ];
    expect(said(events)).toEqual([
      [{ what: 'status', from: 'todo', to: 'done' }],
      [{ what: 'comment_added' }],
      [{ what: 'created' }],
    ]);
  });

  test('says only what it is now where what was before is on another page', () => {
    expect(said([changed(3, ['priority'], { priority: 'high' })])).toEqual([
      [{ what: 'priority', from: undefined, to: 'high' }],
    ]);
  });

  test('tells who was added and who was removed', () => {
    const events = [
      changed(2, ['assignee_ids'], { assignee_ids: ['boris'] }, 'task_assigned'),
      changed(1, [], { assignee_ids: ['anna'] }, 'task_created'),
    ];
    expect(said(events)[0]).toEqual([{ what: 'assignee_ids', added: ['boris'], removed: ['anna'], known: true }]);
  });

  test('is a sentence in both languages', async () => {
    const { store } = await openBoard();
    const words = () =>
      [
        { what: 'status', from: 'todo', to: 'done' } as const,
        { what: 'due', from: null, to: '2026-11-23' } as const,
        { what: 'assignee_ids', added: ['boris'], removed: ['gone'], known: true } as const,
      ].map((one) => sentence(one as never, store, 'UTC', NOW));
    expect(words()).toEqual([
      'moved it from “To do” to “Done”',
      'changed the due date from none to tomorrow',
      'assigned Борис; unassigned somebody who has left',
    ]);
    i18n.language = 'ru';
    expect(words()).toEqual([
      'колонка: «To do» → «Done»',
      'срок: нет → завтра',
      'назначено: Борис; снято с исполнителей: бывший участник',
    ]);
  });
});

test('the log goes on live, each event once, and reads further back', async () => {
  const { store, live, rest } = await openBoard();
  const [third, second, first] = [3, 2, 1].map((seq) => changed(seq, ['description'], {}));
  rest.tasks.activity.mockResolvedValueOnce({ items: [third, second] as BoardEvent[], next_cursor: 'c' });
  const log = new ActivityLog(store, 't1');
  await log.load();
  live.emit(taskEvent('task_deleted', 11, task('t1')));
  live.emit(taskEvent('task_updated', 12, task('t2')));
  rest.tasks.activity.mockResolvedValueOnce({ items: [second, first] as BoardEvent[], next_cursor: null });
  await log.readMore();
  await settled();
  expect(rest.tasks.activity).toHaveBeenLastCalledWith('t1', 'c');
  expect(log.events.map(({ seq }) => seq)).toEqual([11, 3, 2, 1]);
  expect(log.more).toBe(false);
  log.close();
});
