import { fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import Pickers from '../src/components/pickers/Pickers.svelte';
import DateField from '../src/components/ui/DateField.svelte';
import { BoardView } from '../src/lib/board/board-view.svelte';
import { addMonths, dayAfterKey, readTime, weekdayNames, weeksOf } from '../src/lib/time/calendar';
import { clock } from '../src/lib/time/clock.svelte';
import { i18n } from '../src/lib/words/i18n.svelte';
import { openBoard } from './support/board';

const MONDAY = 1;
const SUNDAY = 7;

describe('the calendar', () => {
  test('shows whole weeks, and every day of the month once', () => {
    const weeks = weeksOf('2026-11', MONDAY);
    expect(weeks[0]?.[0]).toBe('2026-10-26');
    expect(weeks.at(-1)?.at(-1)).toBe('2026-12-06');
    expect(weeks.flat().filter((day) => day.startsWith('2026-11'))).toHaveLength(30);
    expect(weeksOf('2026-11', SUNDAY)[0]?.[0]).toBe('2026-11-01');
    expect(weeksOf('2026-02', SUNDAY)).toHaveLength(4);
  });

  test('a month further is the same day, or the last where there is none', () => {
    expect(addMonths('2026-01-31', 1)).toBe('2026-02-28');
    expect(addMonths('2028-02-29', -12)).toBe('2027-02-28');
    expect(addMonths('2026-12-05', 1)).toBe('2027-01-05');
  });

  test('keys go by day, week, month and year', () => {
    const to = (key: string, shiftKey = false) => dayAfterKey('2026-11-25', { key, shiftKey }, MONDAY);
    expect(to('ArrowRight')).toBe('2026-11-26');
    expect(to('ArrowUp')).toBe('2026-11-18');
    expect(to('Home')).toBe('2026-11-23');
    expect(to('End')).toBe('2026-11-29');
    expect(to('PageDown')).toBe('2026-12-25');
    expect(to('PageUp', true)).toBe('2025-11-25');
    expect(to('Enter')).toBeNull();
  });

  test('names the days of the week in the language, from the day it begins with', () => {
    expect(weekdayNames('ru', MONDAY)[0]?.long).toBe('понедельник');
    expect(weekdayNames('en', SUNDAY)[0]?.short).toBe('Sun');
  });

  test.each([
    ['15', '15:00'],
    ['9:05', '09:05'],
    ['1530', '15:30'],
    ['15.30', '15:30'],
    ['25', null],
    ['soon', null],
  ])('"%s" is the time %s', (text, time) => {
    expect(readTime(text)).toBe(time);
  });
});

describe('the date field', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: new Date('2026-11-25T09:00:00Z'), toFake: ['Date'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function draw(value: string | null) {
    const onchange = vi.fn();
    const drawn = render(DateField, { label: 'Due', value, timeZone: 'Europe/Moscow', onchange });
    const field = screen.getByLabelText<HTMLInputElement>('Due');
    const type = async (text: string) => {
      field.focus();
      await fireEvent.input(field, { target: { value: text } });
    };
    return { ...drawn, onchange, field, type };
  }

  test('takes a date in words, having said what it understood', async () => {
    const { onchange, field, type } = draw(null);
    await type('fri 15:00');
    expect(document.getElementById(field.getAttribute('aria-describedby') ?? '')?.textContent).toBe(
      'Friday, November 27, 2026, 15:00',
    );
    expect(onchange).not.toHaveBeenCalled();
    await fireEvent.keyDown(field, { key: 'Enter' });
    expect(onchange).toHaveBeenCalledExactlyOnceWith('2026-11-27T12:00:00.000Z');
  });

  test('what is no date stays in the field, and is said', async () => {
    const { onchange, field, type } = draw('2026-11-25');
    await type('soonish');
    await fireEvent.blur(field);
    expect(field.value).toBe('soonish');
    expect(field.getAttribute('aria-invalid')).toBe('true');
    expect(onchange).not.toHaveBeenCalled();
    await fireEvent.keyDown(field, { key: 'Escape' });
    expect(field.value).toBe('Nov 25, 2026');
  });

  test('an emptied field is no date', async () => {
    const { onchange, field, type } = draw('2026-11-25');
    await type('');
    await fireEvent.blur(field);
    expect(onchange).toHaveBeenCalledExactlyOnceWith(null);
  });

  test('a date typed and left by closing what it stands in is not lost', async () => {
    const { onchange, unmount, type } = draw(null);
    await type('tomorrow');
    unmount();
    expect(onchange).toHaveBeenCalledExactlyOnceWith('2026-11-26');
  });

  test.each(['en', 'ru'] as const)('what it shows can be edited: it is understood again (%s)', async (language) => {
    i18n.language = language;
    const onchange = vi.fn();
    render(DateField, { label: 'Due', value: '2026-12-05T12:30:00Z', timeZone: 'Europe/Moscow', onchange });
    const field = screen.getByLabelText<HTMLInputElement>('Due');
    await fireEvent.input(field, { target: { value: field.value.replace('5', '6') } });
    await fireEvent.blur(field);
    expect(onchange).toHaveBeenCalledExactlyOnceWith('2026-12-06T12:30:00.000Z');
  });

  test('a day from the calendar keeps the time, and gives the focus back', async () => {
    const { onchange } = draw('2026-11-25T12:30:00Z');
    const button = screen.getByRole('button', { name: 'Due: choose in the calendar' });
    await fireEvent.click(button);
    const chosen = screen.getByRole('button', { name: 'Wednesday, November 25, 2026', hidden: true });
    expect(document.activeElement).toBe(chosen);
    await fireEvent.keyDown(chosen, { key: 'ArrowDown' });
    const next = screen.getByRole('button', { name: 'Wednesday, December 2, 2026', hidden: true });
    expect(document.activeElement).toBe(next);
    await fireEvent.click(next);
    expect(onchange).toHaveBeenCalledExactlyOnceWith('2026-12-02T12:30:00.000Z');
    expect(document.activeElement).toBe(button);
  });

  test('a time makes a moment of a day', async () => {
    const { onchange } = draw('2026-11-25');
    await fireEvent.click(screen.getByRole('button', { name: 'Due: choose in the calendar' }));
    await fireEvent.change(screen.getByLabelText('Time'), { target: { value: '15' } });
    expect(onchange).toHaveBeenCalledExactlyOnceWith('2026-11-25T12:00:00.000Z');
  });
});

test.each([
  ['25 dec 2026', 'Fri, Dec 25'],
  ['25 dec 2027', 'Sat, Dec 25, 2027'],
])('the picker says which day %s is, with the year where it is another one', async (typed, day) => {
  const { store } = await openBoard();
  const view = new BoardView(store);
  clock.now = new Date('2026-11-25T10:00:00Z');
  render(Pickers, { view, picker: { kind: 'due', ids: ['t1'], beside: new DOMRect() } });
  await fireEvent.input(screen.getByRole('combobox'), { target: { value: typed } });
  expect(screen.getByRole('option').textContent).toContain(`${typed} ${day}`);
});
