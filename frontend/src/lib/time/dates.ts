/** Days and moments, as people read them: in their language and their time zone. */
import type { Language } from '../types';
import { dateFormat, relativeFormat } from '../words/formats';

const DAY_MS = 86_400_000;

/** `2026-11-25` in that time zone. */
export function dayIn(timeZone: string, at: Date): string {
  return dateFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(at);
}

/** `15:30` in that time zone. */
export function timeIn(timeZone: string, at: Date): string {
  return dateFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit' }).format(at);
}

/** How far the zone's clocks are ahead of UTC at that moment, in milliseconds. */
function offsetAt(timeZone: string, at: number): number {
  const parts = dateFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(at);
  const part = (type: string) => Number(parts.find((other) => other.type === type)?.value);
  const wall = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
  return wall - Math.floor(at / 1000) * 1000;
}

/** The moment at which clocks in that zone show this day and time. In a gap of summer time, an hour later. */
export function momentOf(timeZone: string, day: string, time: string): string {
  const wall = Date.parse(`${day}T${time}:00Z`);
  const guess = wall - offsetAt(timeZone, wall);
  return new Date(wall - offsetAt(timeZone, guess)).toISOString();
}

export const isDay = (due: string): boolean => due.length === 10;

export interface DueText {
  text: string;
  state: 'overdue' | 'today' | 'soon' | 'later';
}

/** "today", "tomorrow, 15:30", "25 Nov": near days by name, others by date, the year only where it is another one. */
export function describeDue(due: string, language: Language, timeZone: string, now: Date): DueText {
  const whole = isDay(due);
  const day = whole ? due : dayIn(timeZone, new Date(due));
  const today = dayIn(timeZone, now);
  const distance = Math.round((Date.parse(day) - Date.parse(today)) / DAY_MS);
  let text: string;
  if (Math.abs(distance) <= 1) text = relativeFormat(language).format(distance, 'day');
  else text = shortDay(day, language, today);
  if (!whole) text += `, ${dateFormat(language, { timeZone, timeStyle: 'short' }).format(new Date(due))}`;
  const over = whole ? distance < 0 : Date.parse(due) < now.getTime();
  return { text, state: over ? 'overdue' : distance === 0 ? 'today' : distance === 1 ? 'soon' : 'later' };
}

/** "25 Nov", the year only where it is another one; with the weekday, if wanted. */
export function shortDay(day: string, language: Language, today: string, weekday?: 'short'): string {
  const year = day.slice(0, 4) === today.slice(0, 4) ? undefined : 'numeric';
  return dateFormat(language, { timeZone: 'UTC', weekday, day: 'numeric', month: 'short', year }).format(
    Date.parse(day),
  );
}

/** "22 Nov 2026, 15:30". */
export function formatMoment(at: string, language: Language, timeZone: string): string {
  return dateFormat(language, { timeZone, dateStyle: 'medium', timeStyle: 'short' }).format(new Date(at));
}

/** "22 November 2026". */
export function formatDay(at: string, language: Language, timeZone: string): string {
  return dateFormat(language, { timeZone, dateStyle: 'long' }).format(new Date(at));
}

const UNITS: ReadonlyArray<[Intl.RelativeTimeFormatUnit, number]> = [
  ['day', DAY_MS],
  ['hour', 3_600_000],
  ['minute', 60_000],
];

/** "5 minutes ago", and the date from a week on. */
export function formatAgo(at: string, language: Language, timeZone: string, now: Date): string {
  const passed = Date.parse(at) - now.getTime();
  if (passed < -7 * DAY_MS) return formatDay(at, language, timeZone);
  const format = relativeFormat(language);
  for (const [unit, ms] of UNITS) if (Math.abs(passed) >= ms) return format.format(Math.trunc(passed / ms), unit);
  return format.format(0, 'second');
}

/** Days from one day to another. */
export const daysBetween = (from: string, to: string): number =>
  Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS);

/** The day a task is due on, in that time zone. */
export const dueDay = (due: string, timeZone: string): string => (isDay(due) ? due : dayIn(timeZone, new Date(due)));

/** The same due date on another day: a time of day stays as the clocks there show it. */
export function moveDue(due: string | null, day: string, timeZone: string): string {
  return due === null || isDay(due) ? day : momentOf(timeZone, day, timeIn(timeZone, new Date(due)));
}

export type DueGroup = 'overdue' | 'today' | 'week' | 'later' | 'none';
export const DUE_GROUPS: readonly DueGroup[] = ['overdue', 'today', 'week', 'later', 'none'];

/** Which heading of a list of work a due date belongs under; `week` is the seven days from today. */
export function dueGroup(due: string | null, timeZone: string, now: Date): DueGroup {
  if (due === null) return 'none';
  if (!isDay(due) && Date.parse(due) < now.getTime()) return 'overdue';
  const distance = daysBetween(dayIn(timeZone, now), dueDay(due, timeZone));
  if (distance < 0) return 'overdue';
  return distance === 0 ? 'today' : distance < 7 ? 'week' : 'later';
}
