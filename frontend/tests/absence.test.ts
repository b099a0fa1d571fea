import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ApiError } from '../src/lib/server/errors';
import { Absence } from '../src/lib/together/absence.svelte';
import type { BoardEvent } from '../src/lib/types';
import { openBoard, task, taskEvent } from './support/board';

const MINUTE = 60_000;
const moved = taskEvent('task_moved', 11, task('t1', { status: 'done' })) as unknown as BoardEvent;

function look(state: 'visible' | 'hidden') {
  vi.spyOn(document, 'visibilityState', 'get').mockReturnValue(state);
  document.dispatchEvent(new Event('visibilitychange'));
}

/** Lets effects and answers run, the clock standing still. */
const settle = () => vi.advanceTimersByTimeAsync(0);

async function openAbsence({ events = [moved] }: { events?: BoardEvent[] } = {}) {
  const { store, live, rest } = await openBoard();
  rest.projects.events.mockResolvedValue({ epoch: 'e1', seq: 11, items: events, next_since: null });
  live.emit({ type: 'project_joined', data: { seq: 10 } });
  const absence = new Absence(store);
  await settle();
  return { store, live, rest, absence };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('who comes back', () => {
  test('to a tab hidden for more than a minute is told what changed', async () => {
    const { absence, rest } = await openAbsence();
    look('hidden');
    vi.advanceTimersByTime(MINUTE + 1);
    look('visible');
    await settle();
    expect(rest.projects.events).toHaveBeenCalledWith('p', 10, 'e1');
    expect(absence.missed).toMatchObject({ moved: 1 });
    expect([...absence.marks]).toEqual(['t1']);
    absence.close();
  });

  test('to a tab hidden for less is told nothing', async () => {
    const { absence, rest } = await openAbsence();
    look('hidden');
    vi.advanceTimersByTime(MINUTE - 1);
    look('visible');
    await settle();
    expect(rest.projects.events).not.toHaveBeenCalled();
    absence.close();
  });

  test('from a lost connection is told sooner, and only once the board is current', async () => {
    const { absence, live } = await openAbsence();
    live.enter('waiting');
    await settle();
    vi.advanceTimersByTime(11_000);
    live.enter('open');
    await settle();
    expect(absence.missed).toBeNull();
    live.emit({ type: 'project_joined', data: { seq: 10 } });
    await settle();
    expect(absence.missed).toMatchObject({ moved: 1 });
    absence.close();
  });

  test('after closing the page is told, after a reload is not', async () => {
    const first = await openAbsence();
    first.absence.close();
    vi.advanceTimersByTime(MINUTE);
    const reloaded = await openAbsence();
    expect(reloaded.absence.missed).toBeNull();
    reloaded.absence.close();
    vi.advanceTimersByTime(5 * MINUTE);
    const back = await openAbsence();
    expect(back.absence.missed).toMatchObject({ moved: 1 });
    back.absence.close();
  });

  test('to a log that no longer says hears that it was a lot', async () => {
    const { absence, rest } = await openAbsence();
    rest.projects.events.mockRejectedValue(new ApiError(410, { code: 'expired' }));
    look('hidden');
    vi.advanceTimersByTime(MINUTE + 1);
    look('visible');
    await settle();
    expect(absence.missed).toBe('lot');
    absence.close();
  });
});

describe('the marks', () => {
  test('go one by one as their cards are shown, round and round, and all at once', async () => {
    const other = taskEvent('task_updated', 12, task('t2')) as unknown as BoardEvent;
    const { absence } = await openAbsence({ events: [moved, other] });
    look('hidden');
    vi.advanceTimersByTime(MINUTE + 1);
    look('visible');
    await settle();
    expect(absence.next()?.id).toBe('t1');
    expect([...absence.marks]).toEqual(['t2']);
    expect(absence.next()?.id).toBe('t2');
    expect(absence.next()?.id).toBe('t1');
    absence.dismiss();
    expect([absence.missed, absence.marks.size]).toEqual([null, 0]);
    absence.close();
  });
});
