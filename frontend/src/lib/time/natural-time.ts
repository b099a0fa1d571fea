/**
 * A time of day as people write it: `15:00`, `3pm`, `at 8`, `в 9 утра`.
 *
 * A number is a time only where it can hardly be anything else: "8 h", "3 дня" and "2 ночи" are as well how long
 * something takes, and "at 8" may go on as "at 8 places".
 */
import * as words from './natural-date-words';

export interface Time {
  /** `08:00` */
  value: string;
  /** The word behind it. */
  next: number;
  /** Whether it would be taken for a time inside a sentence too. */
  sure: boolean;
}

export interface Around {
  text: (index: number) => string;
  /** Whether a day stands before it. */
  afterDay: boolean;
  /** The word before that leads to a date; empty if there is none. */
  lead: string;
  isDay: (index: number) => boolean;
}

/** What may follow "at 8", besides a day: nothing that could be counted. */
const isClosing = (word: string) => word === '' || /^[.,;:!?…)\]}»”"]$/.test(word);
/** Two digits of minutes that do not look like a verse: "8:00", "9:30". */
const isRound = (minutes: string) => minutes === '00' || minutes === '30';

export function readTime(at: number, { text, afterDay, lead: before, isDay }: Around): Time | null {
  const own = words.isAt(text(at)) || text(at) === 'in' || text(at) === 'the';
  const lead = own ? text(at) : before;
  const first = own ? at + 1 + Number(text(at) !== 'the' && text(at + 1) === 'the') : at;
  const part = words.partOfDay(text(first));
  if (part) return afterDay || own ? { value: part, next: first + 1, sure: true } : null;

  const [hours = '', minutes = '', ...more] = text(first).split(':');
  if (more.length > 0 || !/^\d{1,2}$/.test(hours) || !/^(?:\d\d)?$/.test(minutes)) return null;
  const counted = words.isHours(text(first + 1));
  const mark = text(first + 1 + Number(counted));
  const marked = words.hourWith(mark, Number(hours));
  const hour = marked ?? Number(hours);
  if (hour > 23 || Number(minutes) > 59) return null;
  const next = first + 1 + Number(counted) + Number(marked !== undefined);
  const time = (sure: boolean) => ({ value: `${String(hour).padStart(2, '0')}:${minutes || '00'}`, next, sure });

  const besideDay = afterDay || isDay(words.isLead(text(next)) ? next + 1 : next);
  if (minutes) return time(words.isAt(lead) || marked !== undefined || hours.length === 2 || isRound(minutes));
  if (marked !== undefined && (counted || !words.isCounted(mark, hour))) return time(true);
  if (marked !== undefined) return words.isAt(lead) && (besideDay || mark !== 'дня') ? time(true) : null;
  if (counted && (words.isClockAt(lead) || (besideDay && words.isAt(lead)))) return time(true);
  if (counted) return !besideDay && lead === '' ? time(false) : null;
  if (afterDay) return words.isAt(lead) ? time(true) : null;
  return words.isClockAt(lead) && (besideDay || isClosing(text(next))) ? time(true) : null;
}
