/**
 * Dates as people write them: `tomorrow 3pm`, `пт 15:00`, `next fri`, `25 дек`, `через неделю`.
 *
 * Pure: the day is the one of `timeZone` at `now`. The first date in a text is found wherever it stands; words around
 * it are left alone. A day without a year, or a time without a day, is the next such one.
 */

import type { Language } from '../types';
import { monthComesFirst } from '../words/formats';
import { dayIn, momentOf, timeIn } from './dates';
import * as words from './natural-date-words';
import { readTime, type Time } from './natural-time';

export interface NaturalDate {
  /** A day (`2026-11-25`), or a moment in UTC where a time was named. */
  due: string;
  /** Where it stands in the text, the word that leads to it ("by Friday") included. */
  start: number;
  end: number;
  /** Whether it would be taken for a date inside a sentence too: "3.11" and "sun" may be something else there. */
  sure: boolean;
}

export interface DateContext {
  now: Date;
  timeZone: string;
  /** Decides, with the reader's region, how `5/6` is read: the day first in Russian, the month first in America. */
  language: Language;
}

interface Word {
  text: string;
  start: number;
  end: number;
}
/** Something read from the words up to `next`. */
interface Read<T> {
  value: T;
  next: number;
  sure?: boolean;
}

const DAY_MS = 86_400_000;
/** Longest "in N days": beyond it a number means something else. */
const FAR = 1_000;

const shift = (day: string, days: number) => new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10);
/** 0 is Monday. */
const weekdayAt = (day: string) => (new Date(day).getUTCDay() + 6) % 7;

export function parseNaturalDate(text: string, context: DateContext): NaturalDate | null {
  const list = split(text);
  const reader = new Reader(list, context);
  for (let first = 0; first < list.length; first++) {
    const found = standsAlone(text, list[first] as Word, 'before') && reader.at(first);
    if (!found) continue;
    const { start } = list[first] as Word;
    const last = list[found.next - 1] as Word;
    if (standsAlone(text, last, 'after')) {
      return { due: found.value, start, end: last.end, sure: found.sure ?? true };
    }
  }
  return null;
}

function split(text: string): Word[] {
  return [...text.matchAll(/\d+(?:[.:/-]\d+)*|\p{L}+|[^\s]/gu)].map((match) => ({
    text: match[0].toLowerCase().replaceAll('ё', 'е'),
    start: match.index,
    end: match.index + match[0].length,
  }));
}

/** Not a part of something longer, like `v1.2`, `today's` or `mail@fri`; and not escaped. */
function standsAlone(text: string, word: Word, side: 'before' | 'after'): boolean {
  return side === 'before'
    ? /^[\s([{"'«„,;]?$/u.test(text.charAt(word.start - 1))
    : /^(?:$|[\s)\]}"»“,;!?…]|[.:](?:\s|$))/u.test(text.slice(word.end, word.end + 2)) || word.end === text.length;
}

class Reader {
  readonly #words: readonly Word[];
  readonly #context: DateContext;
  readonly #today: string;

  constructor(list: readonly Word[], context: DateContext) {
    this.#words = list;
    this.#context = context;
    this.#today = dayIn(context.timeZone, context.now);
  }

  /** The date that begins with this word, or null. */
  at(first: number): Read<string> | null {
    const led = words.isLead(this.#text(first));
    const at = led ? first + 1 : first;
    const found = this.#moment(at) ?? this.#dayAndTime(at) ?? this.#timeAndDay(at, led ? this.#text(first) : '');
    return found && led ? { ...found, sure: true } : found;
  }

  #text = (index: number) => this.#words[index]?.text ?? '';

  /** "in 2 hours", from now. */
  #moment(at: number): Read<string> | null {
    if (!words.isIn(this.#text(at))) return null;
    if (this.#text(at + 1) === 'полчаса') return { value: this.#after(30), next: at + 2 };
    const amount = this.#amount(at + 1);
    const unit = this.#unit(amount);
    if (!amount || (unit?.value !== 'minute' && unit?.value !== 'hour')) return null;
    return { ...unit, value: this.#after(amount.value * (unit.value === 'hour' ? 60 : 1)) };
  }

  #after(minutes: number): string {
    const at = this.#context.now.getTime() + minutes * 60_000;
    return new Date(Math.round(at / 60_000) * 60_000).toISOString();
  }

  #dayAndTime(at: number): Read<string> | null {
    const day = this.#day(at);
    if (!day) return null;
    const comma = this.#text(day.next) === ',' ? day.next + 1 : day.next;
    const tonight = this.#text(at) === 'tonight' ? { value: '20:00', next: day.next } : null;
    const time = this.#time(comma, { afterDay: true, lead: '' }) ?? tonight;
    if (!time) return day;
    // "fri 15:00" on a Friday morning means today.
    const isToday = day.value === shift(this.#today, 7) && words.weekdayOf(this.#text(at)) >= 0;
    const value = isToday && this.#isAhead(time.value) ? this.#today : day.value;
    return { value: this.#join(value, time.value), next: time.next };
  }

  #timeAndDay(at: number, lead: string): Read<string> | null {
    const time = this.#time(at, { afterDay: false, lead });
    if (!time) return null;
    const on = words.isLead(this.#text(time.next)) ? time.next + 1 : time.next;
    const day = this.#day(on);
    if (day) return { value: this.#join(day.value, time.value), next: day.next };
    const value = this.#join(this.#isAhead(time.value) ? this.#today : shift(this.#today, 1), time.value);
    return { value, next: time.next, sure: time.sure };
  }

  #isAhead = (time: string) => time > timeIn(this.#context.timeZone, this.#context.now);
  #join = (day: string, time: string) => momentOf(this.#context.timeZone, day, time);

  #day(at: number): Read<string> | null {
    return (
      this.#nearDay(at) ??
      this.#weekday(at) ??
      this.#later(at) ??
      this.#endOf(at) ??
      this.#writtenDate(at) ??
      this.#dayAndMonth(at) ??
      this.#dayOfMonth(at)
    );
  }

  #nearDay(at: number): Read<string> | null {
    const text = this.#text(at);
    if (text === 'day' && this.#text(at + 1) === 'after' && words.nearDayOf(this.#text(at + 2)) === 1) {
      return { value: shift(this.#today, 2), next: at + 3 };
    }
    const days = words.nearDayOf(text);
    if (days >= 0) return { value: shift(this.#today, days), next: at + 1, sure: !words.isDoubtful(text) };
    const weekend = words.isWeekend(text) ? shift(this.#today, (5 - weekdayAt(this.#today) + 7) % 7 || 7) : null;
    return weekend ? { value: weekend, next: at + 1, sure: false } : null;
  }

  /** The next such day after today; with "next", the one of next week. */
  #weekday(at: number): Read<string> | null {
    const isNext = words.isNext(this.#text(at));
    const index = isNext || words.isThis(this.#text(at)) ? at + 1 : at;
    const weekday = words.weekdayOf(this.#text(index));
    if (weekday < 0) return null;
    const here = weekdayAt(this.#today);
    const days = isNext ? 7 - here + weekday : (weekday - here + 7) % 7 || 7;
    return { value: shift(this.#today, days), next: index + 1, sure: index > at || !words.isDoubtful(this.#text(at)) };
  }

  /** "in 3 weeks", "next month". */
  #later(at: number): Read<string> | null {
    if (words.isNext(this.#text(at))) {
      if (words.isWeek(this.#text(at + 1)))
        return { value: shift(this.#today, 7 - weekdayAt(this.#today)), next: at + 2 };
      if (words.isMonth(this.#text(at + 1))) return { value: this.#months(1, 1), next: at + 2 };
    }
    if (!words.isIn(this.#text(at))) return null;
    const amount = this.#amount(at + 1);
    const unit = this.#unit(amount);
    if (!amount || !unit) return null;
    const count = amount.value;
    if (unit.value === 'month' || unit.value === 'year')
      return { ...unit, value: this.#months(unit.value === 'year' ? 12 * count : count) };
    return { ...unit, value: shift(this.#today, unit.value === 'week' ? 7 * count : count) };
  }

  /** A number, in digits or in words; nothing there means one in Russian: "через день", but not "in day care". */
  #amount(at: number): Read<number> | null {
    const text = this.#text(at);
    const value = /^\d+$/.test(text) ? Number(text) : words.numberOf(text);
    if (value > 0 && value <= FAR) return { value, next: at + 1 };
    return this.#text(at - 1) === 'через' ? { value: 1, next: at } : null;
  }

  #unit(amount: Read<number> | null): Read<words.Unit> | null {
    if (!amount) return null;
    const { next } = amount;
    const text = this.#text(next);
    const value = words.unitOf(text, this.#text(next - 1));
    return value ? { value, next: next + 1, sure: !words.isDoubtful(text) } : null;
  }

  /** Today some months on: the same day of the month, or its last; or the day named. */
  #months(count: number, day?: number): string {
    const [year = 0, month = 1, today = 1] = this.#today.split('-').map(Number);
    const last = new Date(Date.UTC(year, month + count, 0)).getUTCDate();
    return iso(year, month - 1 + count, Math.min(day ?? today, last)) as string;
  }

  #endOf(at: number): Read<string> | null {
    if (!words.isEnd(this.#text(at))) return null;
    let next = at + 1;
    while (this.#text(next) === 'of' || this.#text(next) === 'the') next++;
    if (words.isMonth(this.#text(next))) return { value: shift(this.#months(1, 1), -1), next: next + 1 };
    if (!words.isWeek(this.#text(next))) return null;
    return { value: shift(this.#today, (4 - weekdayAt(this.#today) + 7) % 7), next: next + 1 };
  }

  /** `2026-12-25`, `25.12.2026`, `25.12`, `12/25`. */
  #writtenDate(at: number): Read<string> | null {
    const parts = this.#text(at).split(/[.:/-]/);
    const sign = /[.:/-]/.exec(this.#text(at))?.[0];
    const [a = 0, b = 0, c] = parts.map(Number);
    if (parts.length < 2 || parts.length > 3 || sign === ':') return null;
    if (sign === '-') return parts[0]?.length === 4 && c ? written(calendarDay(a, b, c), at) : null;
    const monthFirst = sign === '/' && monthComesFirst(this.#context.language) && a <= 12;
    const [day, month] = monthFirst ? [b, a] : [a, b];
    if (c !== undefined) return written(calendarDay(c < 100 ? 2000 + c : c, month, day), at);
    if (sign === '.' && parts[1]?.length !== 2) return null;
    const value = month <= 12 && this.#nextTime(month - 1, day);
    return value ? { value, next: at + 1, sure: false } : null;
  }

  /** `25 декабря 2026`, `25th of Dec`, `Dec 25, 2026`. */
  #dayAndMonth(at: number): Read<string> | null {
    const monthFirst = words.monthOf(this.#text(at));
    const number = this.#dayNumber(monthFirst >= 0 ? at + 1 : at);
    if (!number) return null;
    const of = this.#text(number.next) === 'of' ? number.next + 1 : number.next;
    const month = monthFirst >= 0 ? monthFirst : words.monthOf(this.#text(of));
    if (month < 0) return null;
    const next = monthFirst >= 0 ? number.next : of + 1;
    const comma = this.#text(next) === ',' ? next + 1 : next;
    const year = /^20\d\d$/.test(this.#text(comma)) ? Number(this.#text(comma)) : null;
    const value = year ? iso(year, month, number.value) : this.#nextTime(month, number.value);
    if (!value) return null;
    const end = year ? comma + 1 : next;
    return { value, next: year && this.#text(end) === 'года' ? end + 1 : end };
  }

  #dayNumber(at: number): Read<number> | null {
    if (!/^\d{1,2}$/.test(this.#text(at))) return null;
    const isOrdinal = this.#isEnding(at);
    return { value: Number(this.#text(at)), next: at + isOrdinal + 1 };
  }

  /** How many words the ending of `25th` or `25-го` takes. */
  #isEnding(at: number): 0 | 1 | 2 {
    const touches = this.#words[at + 1]?.start === this.#words[at]?.end;
    if (touches && /^(?:st|nd|rd|th)$/.test(this.#text(at + 1))) return 1;
    return touches && this.#text(at + 1) === '-' && /^(?:го|е|му)$/.test(this.#text(at + 2)) ? 2 : 0;
  }

  /** `the 25th`, `25-го`, `25 числа`: of this month, or of the next that has it. */
  #dayOfMonth(at: number): Read<string> | null {
    const number = this.#dayNumber(this.#text(at) === 'the' ? at + 1 : at);
    if (!number) return null;
    const named = /^числ[ау]$/.test(this.#text(number.next));
    if (!named && number.next === (this.#text(at) === 'the' ? at + 2 : at + 1)) return null;
    const [year = 0, month = 1] = this.#today.split('-').map(Number);
    for (let ahead = 0; ahead < 3; ahead++) {
      const value = iso(year, month - 1 + ahead, number.value);
      if (value && value >= this.#today) return { value, next: named ? number.next + 1 : number.next };
    }
    return null;
  }

  #nextTime(month: number, day: number): string | null {
    const year = Number(this.#today.slice(0, 4));
    const value = iso(year, month, day) ?? iso(year + 1, month, day);
    return value && value < this.#today ? iso(year + 1, month, day) : value;
  }

  #time(at: number, { afterDay, lead }: { afterDay: boolean; lead: string }): Time | null {
    return readTime(at, { text: this.#text, afterDay, lead, isDay: (index) => this.#day(index) !== null });
  }
}

/** The day, or null where the calendar has none such. `month` counts from 0 and may run over the year. */
function iso(year: number, month: number, day: number): string | null {
  const date = new Date(Date.UTC(year, month, day));
  const real = day >= 1 && date.getUTCDate() === day && date.getUTCMonth() === ((month % 12) + 12) % 12;
  return real && year < 9999 ? date.toISOString().slice(0, 10) : null;
}

/** A day as it is written: its month counts from 1 and stays in its year. */
const calendarDay = (year: number, month: number, day: number) => (month <= 12 ? iso(year, month - 1, day) : null);

const written = (value: string | null, at: number): Read<string> | null => (value ? { value, next: at + 1 } : null);
