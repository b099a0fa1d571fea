/** The cards of a project by the day they are due on, as a calendar shows them. Pure functions. */

import type { Card } from '../types';
import { addDays, addMonths, monthOf, weekday, weeksOf } from './calendar';
import { dueDay, isDay } from './dates';

export const SCALES = ['month', 'week'] as const;
export type Scale = (typeof SCALES)[number];

export interface Days {
  /** Day → its cards: whole days first, then by the hour. */
  due: ReadonlyMap<string, readonly Card[]>;
  unscheduled: readonly Card[];
}

export function byDay(cards: readonly Card[], timeZone: string): Days {
  const due = new Map<string, Card[]>();
  const unscheduled: Card[] = [];
  for (const card of cards) {
    if (card.due === null) {
      unscheduled.push(card);
      continue;
    }
    const day = dueDay(card.due, timeZone);
    const list = due.get(day);
    if (list) list.push(card);
    else due.set(day, [card]);
  }
  for (const list of due.values()) list.sort(byHour);
  return { due, unscheduled };
}

function byHour(a: Card, b: Card): number {
  const [one, other] = [a.due ?? '', b.due ?? ''];
  if (isDay(one) || isDay(other)) return Number(!isDay(one)) - Number(!isDay(other));
  return one < other ? -1 : one > other ? 1 : 0;
}

/** The weeks shown around a day. */
export function weeksAround(day: string, scale: Scale, first: number): string[][] {
  if (scale === 'month') return weeksOf(monthOf(day), first);
  const start = addDays(day, -weekday(day, first));
  return [Array.from({ length: 7 }, (_, index) => addDays(start, index))];
}

/** The day to show for the next month or week, or the one before. */
export const turn = (day: string, scale: Scale, count: 1 | -1): string =>
  scale === 'month' ? addMonths(`${monthOf(day)}-01`, count) : addDays(day, 7 * count);

/** The day an address asks for, or `today`. */
export function readDay(value: string | null, today: string): string {
  if (!value || !/^\d{4}-\d{2}-\d{2}$/.test(value)) return today;
  const date = new Date(`${value}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(value) ? value : today;
}

export const readScale = (value: string | null): Scale => (value === 'week' ? 'week' : 'month');

/** The days of a month that have cards, and today, in order: what a narrow screen lists. */
export function agenda(month: string, due: Days['due'], today: string): string[] {
  const days = [...due.keys()].filter((day) => monthOf(day) === month);
  if (monthOf(today) === month && !days.includes(today)) days.push(today);
  return days.sort();
}
