/** Days of the calendar as `2026-11-25`, counted without hours or time zones. */
import type { Language } from '../types';
import { dateFormat } from '../words/formats';

const DAY_MS = 86_400_000;

const at = (day: string) => new Date(`${day}T00:00:00Z`);
const dayOf = (date: Date) => date.toISOString().slice(0, 10);

export const addDays = (day: string, days: number): string => dayOf(new Date(at(day).getTime() + days * DAY_MS));

/** The same day of another month, or its last one where that month is shorter. */
export function addMonths(day: string, months: number): string {
  const date = at(day);
  const wanted = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + months);
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(wanted, last));
  return dayOf(date);
}

export const monthOf = (day: string): string => day.slice(0, 7);

/** Day the week begins with, 1 Monday to 7 Sunday, as that language and region have it; else Monday. */
export function firstWeekday(locale: string): number {
  try {
    const info = new Intl.Locale(locale) as Intl.Locale & { getWeekInfo?: () => { firstDay: number } };
    // Where the browser does not know, English without a region is American.
    return info.getWeekInfo?.().firstDay ?? (locale === 'en' || locale === 'en-US' ? 7 : 1);
  } catch {
    return 1;
  }
}

/** Days since the week began. */
export const weekday = (day: string, first: number): number => (at(day).getUTCDay() - first + 7) % 7;

/** The weeks that show a month, whole, with the days of its neighbours that fill them. */
export function weeksOf(month: string, first: number): string[][] {
  const start = addDays(`${month}-01`, -weekday(`${month}-01`, first));
  const weeks: string[][] = [];
  for (let day = start; weeks.length === 0 || monthOf(day) === month; day = addDays(day, 7)) {
    weeks.push(Array.from({ length: 7 }, (_, index) => addDays(day, index)));
  }
  return weeks;
}

export function weekdayNames(language: Language, first: number): Array<{ short: string; long: string }> {
  // 2024-01-01 was a Monday.
  return Array.from({ length: 7 }, (_, index) => {
    const day = Date.UTC(2024, 0, first + index);
    const name = (weekday: 'short' | 'long') => dateFormat(language, { weekday, timeZone: 'UTC' }).format(day);
    return { short: name('short'), long: name('long') };
  });
}

/** "November 2026". */
export const monthName = (month: string, language: Language): string =>
  dateFormat(language, { month: 'long', year: 'numeric', timeZone: 'UTC' }).format(at(`${month}-01`));

/** "Wednesday, 25 November 2026". */
export const fullDay = (day: string, language: Language): string =>
  dateFormat(language, { dateStyle: 'full', timeZone: 'UTC' }).format(at(day));

/** Where a key leads in a calendar, as in the ARIA practices; null for any other key. */
export function dayAfterKey(day: string, { key, shiftKey }: { key: string; shiftKey: boolean }, first: number) {
  const steps: Record<string, () => string> = {
    ArrowLeft: () => addDays(day, -1),
    ArrowRight: () => addDays(day, 1),
    ArrowUp: () => addDays(day, -7),
    ArrowDown: () => addDays(day, 7),
    Home: () => addDays(day, -weekday(day, first)),
    End: () => addDays(day, 6 - weekday(day, first)),
    PageUp: () => addMonths(day, shiftKey ? -12 : -1),
    PageDown: () => addMonths(day, shiftKey ? 12 : 1),
  };
  return steps[key]?.() ?? null;
}

/** `15:30` of "15", "1530", "15.30" and "15:30"; null where that is no time. */
export function readTime(text: string): string | null {
  const [, hour, minute = '00'] = /^\s*(\d{1,2})(?:[:.\s]?(\d{2}))?\s*$/.exec(text) ?? [];
  if (hour === undefined || Number(hour) > 23 || Number(minute) > 59) return null;
  return `${hour.padStart(2, '0')}:${minute}`;
}
