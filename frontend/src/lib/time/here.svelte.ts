/** Times as the reader has them: in their language and time zone, and as far as now is from them. */
import { session } from '../server/session.svelte';
import { i18n } from '../words/i18n.svelte';
import { clock } from './clock.svelte';
import { type DueText, describeDue, formatAgo, formatDay, formatMoment } from './dates';

/** The time zone of who is signed in, else the device's. */
export const timeZone = (): string => session.user?.time_zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;

export const ago = (at: string): string => formatAgo(at, i18n.language, timeZone(), clock.now);
export const exactly = (at: string): string => formatMoment(at, i18n.language, timeZone());
export const onDay = (at: string): string => formatDay(at, i18n.language, timeZone());
export const dueText = (due: string): DueText => describeDue(due, i18n.language, timeZone(), clock.now);
