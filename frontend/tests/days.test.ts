import { describe, expect, test } from 'vitest';
import { addMonths, firstWeekday } from '../src/lib/time/calendar';
import { daysBetween, dueGroup, moveDue } from '../src/lib/time/dates';
import { agenda, byDay, readDay, readScale, turn, weeksAround } from '../src/lib/time/days';
import { localeOf } from '../src/lib/words/formats';
import { card } from './support/board';

const MONDAY = 1;
const SUNDAY = 7;

describe('the weeks of a calendar', () => {
  test('are whole, from the first to the last day of the month', () => {
    const weeks = weeksAround('2026-11-25', 'month', MONDAY);
    expect(weeks.map((week) => [week[0], week[6]])).toEqual([
      ['2026-10-26', '2026-11-01'],
      ['2026-11-02', '2026-11-08'],
      ['2026-11-09', '2026-11-15'],
      ['2026-11-16', '2026-11-22'],
      ['2026-11-23', '2026-11-29'],
      ['2026-11-30', '2026-12-06'],
    ]);
  });

  test('begin on Sunday where people begin on Sunday', () => {
    expect(weeksAround('2026-11-25', 'month', SUNDAY).map((week) => week[0])).toEqual([
      '2026-11-01',
      '2026-11-08',
      '2026-11-15',
      '2026-11-22',
      '2026-11-29',
    ]);
    expect(weeksAround('2026-11-25', 'week', SUNDAY)).toEqual([
      ['2026-11-22', '2026-11-23', '2026-11-24', '2026-11-25', '2026-11-26', '2026-11-27', '2026-11-28'],
    ]);
  });

  test('turn by a month without skipping a short one, or by a week over the new year', () => {
    expect(turn('2026-01-31', 'month', 1)).toBe('2026-02-01');
    expect(turn('2026-12-30', 'week', 1)).toBe('2027-01-06');
    expect(addMonths('2024-03-31', -1)).toBe('2024-02-29');
  });

  test('begin with the day of the language and, where the browser names one, of its region', () => {
    expect(localeOf('ru', ['en-US'])).toBe('ru');
    expect(localeOf('en', ['ru-RU', 'en-GB', 'en-US'])).toBe('en-GB');
    expect(firstWeekday('ru')).toBe(MONDAY);
    expect(firstWeekday('en-US')).toBe(SUNDAY);
    expect(firstWeekday('no such thing')).toBe(MONDAY);
  });
});

describe('the cards of a day', () => {
  const cards = [
    card('t1', { due: '2026-11-25T20:30:00.000Z' }),
    card('t2', { due: '2026-11-25T05:00:00.000Z' }),
    card('t3', { due: '2026-11-25' }),
    card('t4'),
  ];

  test('are those due on it where the person is, whole days first and then by the hour', () => {
    const ids = (zone: string) =>
      Object.fromEntries([...byDay(cards, zone).due].map(([day, list]) => [day, list.map(({ id }) => id)]));
    expect(ids('UTC')).toEqual({ '2026-11-25': ['t3', 't2', 't1'] });
    expect(ids('Asia/Yekaterinburg')).toEqual({ '2026-11-25': ['t3', 't2'], '2026-11-26': ['t1'] });
    expect(byDay(cards, 'UTC').unscheduled.map(({ id }) => id)).toEqual(['t4']);
  });

  test('move to another day and keep their hour, over a change of the clocks too', () => {
    expect(moveDue('2026-11-25', '2026-12-01', 'Europe/Moscow')).toBe('2026-12-01');
    expect(moveDue(null, '2026-12-01', 'Europe/Moscow')).toBe('2026-12-01');
    expect(moveDue('2026-03-28T09:00:00.000Z', '2026-03-30', 'Europe/Berlin')).toBe('2026-03-30T08:00:00.000Z');
  });

  test('are listed for the month alone, with today even where nothing is due', () => {
    const { due } = byDay(cards, 'UTC');
    expect(agenda('2026-11', due, '2026-11-27')).toEqual(['2026-11-25', '2026-11-27']);
    expect(agenda('2026-12', due, '2026-11-27')).toEqual([]);
  });
});

test('an address that makes no sense shows today', () => {
  for (const value of [null, '', 'soon', '2026-13-01', '2026-02-30'])
    expect(readDay(value, '2026-11-25')).toBe('2026-11-25');
  expect(readDay('2026-02-28', '2026-11-25')).toBe('2026-02-28');
  expect([readScale('week'), readScale('year'), readScale(null)]).toEqual(['week', 'month', 'month']);
});

describe('the heading of a due date', () => {
  const now = new Date('2026-11-22T21:30:00Z');
  test.each([
    ['2026-11-22', 'UTC', 'today'],
    ['2026-11-22', 'Europe/Moscow', 'overdue'],
    ['2026-11-22T21:00:00.000Z', 'UTC', 'overdue'],
    ['2026-11-22T22:00:00.000Z', 'UTC', 'today'],
    ['2026-11-28', 'UTC', 'week'],
    ['2026-11-29', 'UTC', 'later'],
    [null, 'UTC', 'none'],
  ])('%s in %s: %s', (due, zone, group) => {
    expect(dueGroup(due, zone, now)).toBe(group);
  });

  test('days are counted, not hours', () => {
    expect(daysBetween('2026-03-28', '2026-03-30')).toBe(2);
  });
});
