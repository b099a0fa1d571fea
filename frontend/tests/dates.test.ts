import { describe, expect, test } from 'vitest';
import { dayIn, describeDue, formatAgo, momentOf, timeIn } from '../src/lib/time/dates';

const NOW = new Date('2026-11-22T21:30:00Z');

describe('a moment from a wall clock', () => {
  test.each([
    ['Europe/Moscow', '2026-11-25', '15:00', '2026-11-25T12:00:00.000Z'],
    ['UTC', '2026-11-25', '00:00', '2026-11-25T00:00:00.000Z'],
    ['America/New_York', '2026-07-01', '23:30', '2026-07-02T03:30:00.000Z'],
    ['Asia/Kolkata', '2026-01-01', '00:00', '2025-12-31T18:30:00.000Z'],
    // The last hour before and the first after the clocks change.
    ['Europe/Berlin', '2026-03-29', '01:30', '2026-03-29T00:30:00.000Z'],
    ['Europe/Berlin', '2026-03-29', '03:30', '2026-03-29T01:30:00.000Z'],
  ])('%s %s %s', (zone, day, time, moment) => {
    expect(momentOf(zone, day, time)).toBe(moment);
    expect([dayIn(zone, new Date(moment)), timeIn(zone, new Date(moment))]).toEqual([day, time]);
  });
});

describe('due', () => {
  test('today is today where the person is: past midnight in Moscow, still yesterday in London', () => {
    expect(describeDue('2026-11-23', 'ru', 'Europe/Moscow', NOW)).toEqual({ text: 'сегодня', state: 'today' });
    expect(describeDue('2026-11-23', 'en', 'Europe/London', NOW)).toEqual({ text: 'tomorrow', state: 'soon' });
  });

  test('a day is overdue when it is over, a moment when it has passed', () => {
    expect(describeDue('2026-11-21', 'en', 'UTC', NOW).state).toBe('overdue');
    expect(describeDue('2026-11-22', 'en', 'UTC', NOW).state).toBe('today');
    expect(describeDue('2026-11-22T21:00:00.000Z', 'en', 'UTC', NOW).state).toBe('overdue');
    expect(describeDue('2026-11-22T22:00:00.000Z', 'en', 'UTC', NOW).state).toBe('today');
  });

  test('far days have a date, in another year the year too', () => {
    expect(describeDue('2026-12-05', 'ru', 'UTC', NOW).text).toBe('5 дек.');
    expect(describeDue('2027-02-05', 'en', 'UTC', NOW).text).toBe('Feb 5, 2027');
  });

  test('a time is told in the person’s zone', () => {
    expect(describeDue('2026-11-25T12:00:00.000Z', 'ru', 'Europe/Moscow', NOW).text).toBe('25 нояб., 15:00');
  });
});

test('ago is told in words, and by date from a week on', () => {
  expect(formatAgo('2026-11-22T21:29:50Z', 'en', 'UTC', NOW)).toBe('now');
  expect(formatAgo('2026-11-22T21:25:00Z', 'ru', 'UTC', NOW)).toBe('5 минут назад');
  expect(formatAgo('2026-11-22T18:00:00Z', 'en', 'UTC', NOW)).toBe('3 hours ago');
  expect(formatAgo('2026-11-01T18:00:00Z', 'ru', 'UTC', NOW)).toBe('1 ноября 2026 г.');
});
