/** What to offer for a due date: what was typed, as a date, else the days people choose most. */
import type { PickOption } from '../../components/pickers/ListPicker.svelte';
import { type DateContext, parseNaturalDate } from '../time/natural-date';
import { t } from '../words/i18n.svelte';

const PRESETS = [
  ['date.today', 'today'],
  ['date.tomorrow', 'tomorrow'],
  ['due.weekend', 'weekend'],
  ['due.next_week', 'next week'],
  ['due.in_two_weeks', 'in 2 weeks'],
] as const;

/** The id of an option is the due date itself; empty for none. */
export function dueOptions(query: string, context: DateContext): PickOption[] {
  const text = query.trim();
  if (text) {
    const found = parseNaturalDate(text, context);
    return found ? [{ id: found.due, name: text }] : [];
  }
  const days = PRESETS.flatMap(([key, words]) => {
    const found = parseNaturalDate(words, context);
    return found ? [{ id: found.due, name: t(key) }] : [];
  });
  const unique = days.filter(({ id }, index) => days.findIndex((day) => day.id === id) === index);
  return [...unique, { id: '', name: t('due.clear') }];
}
