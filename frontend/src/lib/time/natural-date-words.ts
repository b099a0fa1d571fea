/** The words of dates, English and Russian. Both are always understood; every word is lower case, with е for ё. */

/** Where a pattern matches in a list, or -1. */
const indexIn = (patterns: readonly RegExp[], word: string) => patterns.findIndex((pattern) => pattern.test(word));

const whole = (...sources: string[]) => sources.map((source) => new RegExp(`^(?:${source})$`));

const WEEKDAYS = whole(
  'mon(?:day)?|пн|понедельник[ау]?',
  'tue(?:s|sday)?|вт|вторник[ау]?',
  'wed(?:nesday)?|ср|сред[ауые]',
  'thu(?:rs?|rsday)?|чт|четверг[ау]?',
  'fri(?:day)?|пт|пятниц[ауые]',
  'sat(?:urday)?|сб|суббот[ауые]',
  'sun(?:day)?|вс|воскресень[еяю]',
);

const MONTHS = whole(
  'jan(?:uary)?|янв(?:ар[ья])?',
  'feb(?:ruary)?|фев(?:рал[ья])?',
  'mar(?:ch)?|март?а?',
  'apr(?:il)?|апр(?:ел[ья])?',
  'may|ма[йя]',
  'june?|июн[ья]?',
  'july?|июл[ья]?',
  'aug(?:ust)?|авг(?:уста?)?',
  'sept?(?:ember)?|сент?(?:ябр[ья])?',
  'oct(?:ober)?|окт(?:ябр[ья])?',
  'nov(?:ember)?|ноя(?:б|бр[ья])?',
  'dec(?:ember)?|дек(?:абр[ья])?',
);

const UNITS = whole(
  'minutes?|mins?|мин|минут[уы]?',
  'hours?|hrs?|час(?:а|ов)?',
  'days?|день|дня|дней',
  'weeks?|нед|недел[юяи]|недель',
  'months?|месяц(?:а|ев)?',
  'years?|года?|лет',
);
export type Unit = 'minute' | 'hour' | 'day' | 'week' | 'month' | 'year';
const UNIT_NAMES: readonly Unit[] = ['minute', 'hour', 'day', 'week', 'month', 'year'];
/** A letter is a unit behind digits only: "2h", but not "in D minor". */
const SHORT_UNITS: ReadonlyMap<string, Unit> = new Map([
  ['m', 'minute'],
  ['h', 'hour'],
  ['ч', 'hour'],
  ['d', 'day'],
  ['w', 'week'],
]);

const NUMBERS = whole(
  'полчаса',
  'an?|one|один|одну',
  'two|пару?|два|две',
  'three|три',
  'four|четыре',
  'five|пять',
  'six|шесть',
  'seven|семь',
);

const NEAR_DAYS = whole('today|tonight|tod|сегодня', 'tomorrow|tmrw?|tmr|завтра', 'послезавтра');

/** 0 is Monday. */
export const weekdayOf = (word: string): number => indexIn(WEEKDAYS, word);
/** 0 is January. */
export const monthOf = (word: string): number => indexIn(MONTHS, word);
export const unitOf = (word: string, before: string): Unit | undefined =>
  UNIT_NAMES[indexIn(UNITS, word)] ?? (/^\d+$/.test(before) ? SHORT_UNITS.get(word) : undefined);
/** How many days from today. */
export const nearDayOf = (word: string): number => indexIn(NEAR_DAYS, word);
/** A number in words from one to seven, or -1. */
export const numberOf = (word: string): number => indexIn(NUMBERS, word) || -1;

export const isNext = (word: string): boolean => /^(?:next|след|следующ(?:ий|ая|ую|ее|ей|ем|его))$/.test(word);
export const isThis = (word: string): boolean => /^(?:this|эт(?:от|у|о|а|ой|ого))$/.test(word);
export const isIn = (word: string): boolean => word === 'in' || word === 'через';
export const isEnd = (word: string): boolean => word === 'end' || /^кон(?:ец|ца|цу|це)$/.test(word);
export const isWeek = (word: string): boolean => word === 'week' || /^недел(?:я|ю|е|и)$/.test(word);
export const isMonth = (word: string): boolean => word === 'month' || /^месяц[ае]?$/.test(word);
export const isWeekend = (word: string): boolean => word === 'weekend' || /^выходн(?:ые|ых|ым)$/.test(word);
/** Words that lead to a date and go with it. */
export const isLead = (word: string): boolean => /^(?:on|by|due|until|till|at|в|во|до|к|ко|на)$/.test(word);
export const isAt = (word: string): boolean => /^(?:at|by|в|во|к|до|@)$/.test(word);

/** The hour of a part of the day: "tomorrow morning". */
const PARTS: ReadonlyMap<string, string> = new Map([
  ['morning', '09:00'],
  ['утром', '09:00'],
  ['noon', '12:00'],
  ['полдень', '12:00'],
  ['afternoon', '14:00'],
  ['днем', '14:00'],
  ['evening', '19:00'],
  ['вечером', '19:00'],
  ['night', '20:00'],
]);
export const partOfDay = (word: string): string | undefined => PARTS.get(word);

/** Words that lead to a time on the clock and to hardly anything else: "by 8" and "до 8" may be how much. */
export const isClockAt = (word: string): boolean => /^(?:at|в|во|@)$/.test(word);

/** Behind a number: hours of the clock, or how many. */
export const isHours = (word: string): boolean => /^(?:ч|час|часа|часов|h)$/.test(word);

/** What a mark behind an hour adds: `3 pm`, `7 вечера`. Undefined where it is no mark of an hour. */
export function hourWith(mark: string, hour: number): number | undefined {
  if (hour < 1 || hour > 12) return undefined;
  if (/^(?:am|утра|ночи)$/.test(mark)) return hour % 12;
  return /^(?:pm|дня|вечера)$/.test(mark) ? (hour % 12) + 12 : undefined;
}

/** Whether mark and number may be so many days, nights or evenings: "3 дня", but not "5 дня". */
export const isCounted = (mark: string, hour: number): boolean =>
  /^(?:дня|вечера|ночи)$/.test(mark) && hour % 12 >= 1 && hour % 12 <= 4;

/** Short words that are more often something else in a sentence: "the sun", "50 m", "3D". */
export const isDoubtful = (word: string): boolean =>
  /^(?:mon|wed|sat|sun|tod|tom|ср|noon|night|weekend|m|d)$/.test(word);
