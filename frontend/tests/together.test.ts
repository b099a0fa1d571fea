import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { preferences } from '../src/lib/page/preferences.svelte';
import { Freshness } from '../src/lib/server/freshness';
import { Storm } from '../src/lib/together/glide';
import { focusedCard, restoreFocus } from '../src/lib/together/keep-focus';
import { Together } from '../src/lib/together/together.svelte';
import { Typing } from '../src/lib/together/typing.svelte';
import { Unread } from '../src/lib/together/unread.svelte';
import { board, card, event, FakeLive, openBoard, settled, task, taskEvent } from './support/board';

beforeEach(() => {
  preferences.visible = true;
});
afterEach(() => vi.useRealTimers());

describe('writing', () => {
  const writing = (live: FakeLive, field?: string) =>
    live.emit({ type: 'typing', user_id: 'boris', data: { task_id: 't1', name: 'Борис', ...(field && { field }) } });

  test('is shown at the text it is in, and gone 5 s after the last sign', () => {
    vi.useFakeTimers();
    const live = new FakeLive();
    const typing = new Typing(live, 'p', 'anna');
    writing(live, 'description');
    expect(typing.namesOn('t1', 'description')).toEqual(['Борис']);
    expect(typing.namesOn('t1', 'comment')).toEqual([]);
    vi.advanceTimersByTime(4_999);
    writing(live, 'description');
    vi.advanceTimersByTime(4_999);
    expect(typing.namesOn('t1', 'description')).toEqual(['Борис']);
    vi.advanceTimersByTime(1);
    expect(typing.namesOn('t1', 'description')).toEqual([]);
  });

  test('is of comments where an older server does not say', () => {
    const live = new FakeLive();
    const typing = new Typing(live, 'p', 'anna');
    writing(live);
    expect(typing.namesOn('t1', 'comment')).toEqual(['Борис']);
    typing.close();
  });

  test('ends when the text is saved or the comment sent', () => {
    const live = new FakeLive();
    const typing = new Typing(live, 'p', 'anna');
    writing(live, 'description');
    live.emit(taskEvent('task_updated', 11, task('t1'), {}));
    expect(typing.namesOn('t1', 'description')).toEqual(['Борис']);
    live.emit(event('task_updated', 12, { task_id: 't1', changes: ['description'] }));
    expect(typing.namesOn('t1', 'description')).toEqual([]);
    writing(live);
    live.emit(event('comment_added', 13, { task_id: 't1' }));
    expect(typing.namesOn('t1', 'comment')).toEqual([]);
    typing.close();
  });

  test('is told of a description after a second of keys, of a comment at once', () => {
    const live = new FakeLive();
    const typing = new Typing(live, 'p', 'anna');
    typing.key('t1', 'description', 0);
    typing.key('t1', 'description', 900);
    expect(live.typing).not.toHaveBeenCalled();
    typing.key('t1', 'description', 1_000);
    expect(live.typing).toHaveBeenLastCalledWith('p', 't1', 'description');
    live.typing.mockClear();
    typing.key('t1', 'description', 10_000);
    expect(live.typing).not.toHaveBeenCalled();
    typing.key('t1', 'comment', 10_001);
    expect(live.typing).toHaveBeenLastCalledWith('p', 't1', 'comment');
  });

  test('is told to nobody by who wants to be unseen', () => {
    const live = new FakeLive();
    const typing = new Typing(live, 'p', 'anna');
    preferences.visible = false;
    typing.key('t1', 'comment');
    typing.look('t1');
    expect(live.typing).not.toHaveBeenCalled();
    expect(live.viewing).toHaveBeenLastCalledWith('p', null);
  });
});

describe('what others change', () => {
  test('wears their colour for a moment, in a storm nothing does', async () => {
    vi.useFakeTimers();
    const { store, live } = await openBoard();
    const together = new Together(store);
    const moves: string[] = [];
    together.onMove = (id) => moves.push(id);
    live.emit(taskEvent('task_moved', 11, task('t1', { status: 'done' })));
    expect(together.touched.get('t1')).toEqual({ name: 'Борис', color: '#1565c0' });
    expect(moves).toEqual(['t1']);
    vi.advanceTimersByTime(1_500);
    expect(together.touched.size).toBe(0);
    for (let seq = 12; seq < 40; seq++) live.emit(taskEvent('task_moved', seq, task('t1')));
    expect(moves).toHaveLength(11);
    together.close();
  });

  test('is nothing when it is one’s own', async () => {
    const { store, live } = await openBoard();
    const together = new Together(store);
    live.emit(taskEvent('task_moved', 11, task('t1'), { user_id: 'anna' }));
    expect(together.touched.size).toBe(0);
    together.close();
  });

  test('more than ten in a second are a storm, and it passes', () => {
    const storm = new Storm();
    for (let at = 0; at < 10; at++) expect(storm.calm(at)).toBe(true);
    expect(storm.calm(11)).toBe(false);
    expect(storm.calm(1_200)).toBe(true);
  });

  test('shows who has a card open, oneself never', async () => {
    const { store, live } = await openBoard();
    const together = new Together(store);
    const person = (user_id: string) => ({ user_id, name: user_id, devices: 2, viewing: 't1' });
    live.emit({ type: 'presence', data: { online: [person('anna'), person('boris')] } });
    expect(together.viewers.get('t1')?.map(({ user_id }) => user_id)).toEqual(['boris']);
    together.close();
  });
});

describe('unread comments', () => {
  const open = (count: number) => openBoard({ start: board({ tasks: [card('t1', { comment_count: count })] }) });

  test('on a first visit are none; later those that came since the last look', async () => {
    const first = new Unread((await open(3)).store);
    await settled();
    expect(first.has(card('t1', { comment_count: 3 }))).toBe(false);
    expect(first.has(card('t1', { comment_count: 4 }))).toBe(true);
    first.close();
    const second = new Unread((await open(4)).store);
    await settled();
    expect(second.has(card('t1', { comment_count: 4 }))).toBe(true);
    second.see(card('t1', { comment_count: 4 }));
    expect(second.has(card('t1', { comment_count: 4 }))).toBe(false);
    second.close();
  });

  test('one deleted and one written since is unread', async () => {
    const { store, live } = await open(3);
    const unread = new Unread(store);
    await settled();
    live.emit(event('comment_deleted', 11, { task_id: 't1', comment_id: 'k', comment_count: 2 }));
    expect(unread.has(card('t1', { comment_count: 3 }))).toBe(true);
    unread.close();
  });
});

describe('the focus on a card', () => {
  const draw = (...ids: string[]) => {
    document.body.innerHTML = `<ul data-column="todo">${ids
      .map((id) => `<li data-card="${id}"><a href="/${id}">${id}</a><button>menu</button></li>`)
      .join('')}</ul>`;
  };
  const focus = (selector: string) => document.querySelector<HTMLElement>(selector)?.focus();

  test('follows the card to where it is drawn now', () => {
    draw('t1', 't2');
    focus('[data-card=t1] button');
    const before = focusedCard();
    draw('t2', 't1');
    if (before) restoreFocus(before);
    expect(document.activeElement?.matches('[data-card=t1] button')).toBe(true);
  });

  test('goes to the next card, or the one before, when the card is gone', () => {
    draw('t1', 't2', 't3');
    focus('[data-card=t2] a');
    const before = focusedCard();
    draw('t1');
    if (before) restoreFocus(before);
    expect(document.activeElement?.textContent).toBe('t1');
  });

  test('is left alone where somebody has it elsewhere', () => {
    draw('t1');
    document.body.insertAdjacentHTML('beforeend', '<input>');
    focus('[data-card=t1] a');
    const before = focusedCard();
    focus('input');
    if (before) restoreFocus(before);
    expect(document.activeElement?.tagName).toBe('INPUT');
  });
});

describe('freshness', () => {
  test('counts from the last word of the server, not of the socket', async () => {
    const live = new FakeLive();
    let now = 0;
    const freshness = new Freshness(live, () => now);
    expect(freshness.silence).toBeNull();
    live.emit({ type: 'ping', data: {} });
    now = 700;
    live.emit({ type: 'state', data: {} });
    expect(freshness.silence).toBe(700);
    expect(await freshness.measure()).toBe(5);
    live.ping = () => Promise.reject(new Error('gone'));
    expect(await freshness.measure()).toBeNull();
  });
});
