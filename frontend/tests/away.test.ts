import { describe, expect, test } from 'vitest';
import { isNews, summarise } from '../src/lib/together/away';
import type { BoardEvent, Task } from '../src/lib/types';
import { card, event, task, taskEvent } from './support/board';

let seq = 0;
const told = (type: string, id: string, over: Partial<Task> = {}, by = 'boris') =>
  taskEvent(type, ++seq, task(id, over), { user_id: by }) as unknown as BoardEvent;
const commented = (type: string, id: string, comment: string, by = 'boris') =>
  event(type, ++seq, { task_id: id, comment_id: comment, comment_count: 1 }, { user_id: by }) as unknown as BoardEvent;
const of = (events: BoardEvent[], before?: Parameters<typeof summarise>[2]) => summarise(events, 'anna', before);

describe('a summary', () => {
  test('counts cards that moved, not moves', () => {
    const missed = of([told('task_moved', 't1'), told('task_moved', 't1'), told('task_moved', 't2')]);
    expect(missed).toMatchObject({ moved: 2, cards: ['t1', 't2'] });
  });

  test('leaves out what one did oneself, on another device', () => {
    expect(isNews(of([told('task_moved', 't1', {}, 'anna'), commented('comment_added', 't1', 'k', 'anna')]))).toBe(
      false,
    );
  });

  test('says what has become mine, and only if it was not before', () => {
    const events = [told('task_assigned', 't1', { assignee_ids: ['anna', 'boris'] })];
    expect(of(events)).toMatchObject({ assigned: 1, changed: 0 });
    expect(of(events, () => card('t1', { assignee_ids: ['anna'] }))).toMatchObject({ assigned: 0, changed: 1 });
  });

  test('forgets what was taken back', () => {
    const missed = of([
      told('task_assigned', 't1', { assignee_ids: ['anna'] }),
      told('task_assigned', 't1', { assignee_ids: [] }),
      commented('comment_added', 't2', 'k1'),
      commented('comment_deleted', 't2', 'k1'),
    ]);
    expect(missed).toMatchObject({ assigned: 0, comments: 0 });
  });

  test('a card that came and went is no news; one that was there and went is', () => {
    const missed = of([told('task_created', 't7'), told('task_deleted', 't7'), told('task_archived', 't1')]);
    expect(missed).toMatchObject({ created: 0, removed: 1, cards: [] });
  });

  test('a card that came back is marked', () => {
    expect(of([told('task_deleted', 't1'), told('task_restored', 't1')])).toMatchObject({ removed: 0, cards: ['t1'] });
  });

  test('a new card that was moved is new, once', () => {
    expect(of([told('task_created', 't7'), told('task_moved', 't7')])).toMatchObject({ created: 1, moved: 0 });
  });

  test('leads through the cards in the order of their last change', () => {
    const events = [told('task_moved', 't1'), told('task_updated', 't2'), commented('comment_added', 't1', 'k')];
    expect(of(events)).toMatchObject({ moved: 1, changed: 1, comments: 1, cards: ['t2', 't1'] });
  });

  test('knows nothing of columns, labels and members', () => {
    expect(isNews(of([event('column_updated', 1, { column_id: 'c' }) as unknown as BoardEvent]))).toBe(false);
  });
});
