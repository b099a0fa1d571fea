import { render, screen } from '@testing-library/svelte';
import { tick } from 'svelte';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import ConnectionBar from '../src/components/board/ConnectionBar.svelte';
import MovedLine from '../src/components/together/MovedLine.svelte';
import { BoardView } from '../src/lib/board/board-view.svelte';
import { announcer } from '../src/lib/page/announcer.svelte';
import { session } from '../src/lib/server/session.svelte';
import { card, openBoard, task, taskEvent } from './support/board';

afterEach(() => vi.useRealTimers());

test('who has a card open is told once that somebody moved it, for six seconds', async () => {
  const { store, live } = await openBoard();
  const view = new BoardView(store);
  vi.useFakeTimers();
  render(MovedLine, { card: card('t1'), view });
  const said = () => screen.getByRole('status').textContent?.trim();
  const heard = announcer.text;
  live.emit(taskEvent('task_moved', 11, task('t2', { status: 'done', version: 2 })));
  const heardOfOther = announcer.text;
  live.emit(taskEvent('task_updated', 12, task('t1', { title: 'New', version: 2 })));
  await tick();
  expect(said()).toBe('');
  live.emit(taskEvent('task_moved', 13, task('t1', { status: 'done', version: 3 })));
  await tick();
  expect(said()).toBe('Борис moved this card to Done');
  expect(heardOfOther).not.toBe(heard);
  expect(announcer.text).toBe(heardOfOther);
  await vi.advanceTimersByTimeAsync(5_999);
  expect(said()).not.toBe('');
  await vi.advanceTimersByTimeAsync(1);
  expect(said()).toBe('');
  live.emit(taskEvent('task_moved', 14, task('t1', { status: 'todo', version: 4 }), { user_id: 'anna' }));
  await tick();
  expect(said()).toBe('');
  view.close();
});

test('nothing is said of the connection while the sign-in over the page says it all', async () => {
  const { store, live } = await openBoard();
  vi.useFakeTimers();
  render(ConnectionBar, { store });
  live.enter('closed');
  await vi.advanceTimersByTimeAsync(3_000);
  const said = () => screen.getByRole('status').textContent?.trim();
  expect(said()).toBe('Connection lost. Changes are kept on this device.');
  session.expired = true;
  onTestFinished(() => {
    session.expired = false;
  });
  await tick();
  expect(said()).toBe('');
});

test('a pause that the server asks for is counted down, to the eye alone', async () => {
  const { store, live } = await openBoard();
  live.enter('open');
  vi.useFakeTimers();
  render(ConnectionBar, { store });
  store.own.again = Date.now() + 9_000;
  await vi.advanceTimersByTimeAsync(3_000);
  const bar = () => screen.getByRole('status');
  const shown = () => bar().querySelector('[aria-hidden="true"]:not(svg)')?.textContent;
  expect(shown()).toContain('in 6 s');
  await vi.advanceTimersByTimeAsync(1_000);
  expect(shown()).toContain('in 5 s');
  expect(bar().querySelector('.sr-only')?.textContent).not.toMatch(/\d s/);
});
