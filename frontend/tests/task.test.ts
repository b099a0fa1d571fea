import { describe, expect, test } from 'vitest';
import { TaskStore } from '../src/lib/task/task.svelte';
import type { Comment } from '../src/lib/types';
import { event, later, openBoard, settled, task, taskEvent } from './support/board';

const comment = (id: string, over: Partial<Comment> = {}): Comment => ({
  id,
  project_id: 'p',
  task_id: 't1',
  author_id: 'boris',
  author_name: 'Борис',
  body: id,
  mentions: [],
  version: 1,
  created_at: `2026-11-22T10:00:0${id.slice(1)}Z`,
  updated_at: '2026-11-22T10:00:00Z',
  edited: false,
  ...over,
});

const commentEvent = (type: string, seq: number, { id, ...rest }: Comment, op_id: string | null = null) =>
  event(type, seq, { comment_id: id, ...rest, comment_count: 1 }, { op_id });

async function openTask(over: Parameters<typeof openBoard>[0] = {}) {
  const opened = await openBoard(over);
  return { ...opened, details: new TaskStore(opened.store, 't1') };
}

const bodies = (details: TaskStore) => details.comments.map(({ body }) => body);

describe('a task', () => {
  test('what happens while it is being read is not lost', async () => {
    const { live, rest, details } = await openTask();
    const list = later<Comment[]>();
    rest.comments.list.mockReturnValue(list.promise);
    void details.load();
    live.emit(commentEvent('comment_added', 11, comment('k2')));
    live.emit(commentEvent('comment_deleted', 12, comment('k1')));
    live.emit(taskEvent('task_updated', 13, task('t1', { description: 'newer', version: 2 })));
    list.resolve([comment('k1'), comment('k0')]);
    await settled();
    expect(bodies(details)).toEqual(['k0', 'k2']);
    expect(details.description).toBe('newer');
  });

  test('is read again when the board was', async () => {
    const { live, rest, details } = await openTask();
    await details.load();
    rest.tasks.get.mockResolvedValue(task('t1', { description: 'after the gap', version: 7 }));
    live.emit({ type: 'resync', data: { reason: 'too_far' } });
    await settled();
    expect(details.description).toBe('after the gap');
  });

  test('shows its own new description before the server has answered', async () => {
    const { store, details } = await openTask();
    await details.load();
    store.commands.patch('t1', { description: 'mine' }, 1);
    expect(details.description).toBe('mine');
  });

  test('comments are the newest last, and one that comes twice is there once', async () => {
    const { live, details } = await openTask();
    await details.load();
    live.emit(commentEvent('comment_added', 11, comment('k3')));
    live.emit(commentEvent('comment_added', 12, comment('k1')));
    live.emit(commentEvent('comment_updated', 13, comment('k3', { body: 'edited', version: 2 })));
    expect(bodies(details)).toEqual(['k1', 'edited']);
  });

  test('a comment of one’s own is never shown twice, though the board is drawn a frame later', async () => {
    const frames: Array<() => void> = [];
    const { store, live, details } = await openTask({ soon: (draw) => void frames.push(draw) });
    await details.load();
    store.commands.comment('t1', 'k1');
    expect(details.unsent.map(({ body }) => body)).toEqual(['k1']);
    live.emit(commentEvent('comment_added', 11, comment('k1'), store.pending[0]?.change.op_id));
    expect(bodies(details)).toEqual(['k1']);
    expect(details.unsent).toEqual([]);
    for (const draw of frames) draw();
    expect(store.pending).toEqual([]);
  });

  test('comments taken back, and back again, are drawn so before the server has answered', async () => {
    const { store, rest, details } = await openTask();
    rest.comments.list.mockResolvedValue([comment('k1'), comment('k2')]);
    rest.comments.delete.mockResolvedValue(undefined);
    await details.load();
    const shown = () => [details.shownComments.map(({ id }) => id), details.unsent.length];
    store.commands.comment('t1', 'mine');
    expect(shown()).toEqual([['k1', 'k2'], 1]);
    store.commands.history.undo();
    expect(shown()).toEqual([['k1', 'k2'], 0]);
    store.commands.deleteComment(comment('k1'));
    expect(shown()).toEqual([['k2'], 0]);
    store.commands.history.undo();
    expect(shown()).toEqual([['k1', 'k2'], 0]);
    expect(store.card('t1')?.comment_count).toBe(0);
  });

  test('a deletion under way that is taken back leaves the comment where it was', async () => {
    const { store, rest, details } = await openTask();
    rest.comments.list.mockResolvedValue([comment('k1'), comment('k2')]);
    await details.load();
    store.commands.deleteComment(comment('k1'));
    store.commands.history.undo();
    expect(store.pending.map(({ change }) => change.kind)).toEqual(['comment-delete', 'comment-restore']);
    expect(details.shownComments.map(({ id }) => id)).toEqual(['k1', 'k2']);
  });

  test('of another card concerns it not', async () => {
    const { live, details } = await openTask();
    await details.load();
    live.emit(commentEvent('comment_added', 11, comment('k1', { task_id: 't2' })));
    live.emit(taskEvent('task_updated', 12, task('t2', { description: 'other', version: 9 })));
    expect(details.comments).toEqual([]);
    expect(details.description).toBe('');
  });
});
