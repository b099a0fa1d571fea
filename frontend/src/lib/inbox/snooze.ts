/** Until when a notification may be put off: moments people think in, in their time zone. Pure functions. */
import { addDays, weekday } from '../time/calendar';
import { dayIn, momentOf } from '../time/dates';
import type { Timestamp } from '../types';

export const SNOOZES = ['hour', 'evening', 'tomorrow', 'week'] as const;
export interface Snooze {
  name: (typeof SNOOZES)[number];
  until: Timestamp;
}

const HOUR_MS = 3_600_000;
const MORNING = '09:00';
const EVENING = '18:00';
/** The evening is worth naming only while it is further away than this. */
const EVENING_LEFT_MS = 2 * HOUR_MS;

/** The choices at that moment, the nearest first. */
export function snoozes(now: Date, timeZone: string): Snooze[] {
  const today = dayIn(timeZone, now);
  const evening = momentOf(timeZone, today, EVENING);
  const monday = addDays(today, 7 - weekday(today, 1));
  const choices: Snooze[] = [{ name: 'hour', until: new Date(now.getTime() + HOUR_MS).toISOString() }];
  if (Date.parse(evening) - now.getTime() > EVENING_LEFT_MS) choices.push({ name: 'evening', until: evening });
  choices.push({ name: 'tomorrow', until: momentOf(timeZone, addDays(today, 1), MORNING) });
  // On a Sunday the next week is tomorrow.
  if (monday !== addDays(today, 1)) choices.push({ name: 'week', until: momentOf(timeZone, monday, MORNING) });
  return choices;
}
