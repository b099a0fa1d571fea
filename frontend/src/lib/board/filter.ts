/**
 * Which cards of a board are shown, as the address says it: `?q=…&assignee=me,<id>&label=<id>&priority=high&due=today`.
 *
 * Values of one parameter are alternatives, different parameters narrow each other. Board, list, calendar and saved
 * views share this reading. Pure functions; what a filter hides keeps its place.
 */
import { dayIn, isDay } from '../time/dates';
import { type Card, type Id, PRIORITIES, type Priority } from '../types';

/** The person who looks, whoever that is: so a saved view fits everybody. */
export const ME = 'me';
/** Nobody is assigned; no label is on it. */
export const NONE = 'none';

export const DUE_FILTERS = ['overdue', 'today', 'week', 'none'] as const;
export type DueFilter = (typeof DUE_FILTERS)[number];

export interface Filter {
  /** Words that stand in key or title, in any order. */
  q: string;
  assignee: readonly string[];
  label: readonly string[];
  priority: readonly Priority[];
  due: readonly DueFilter[];
}

/** Parameters with several values. */
export type Facet = 'assignee' | 'label' | 'priority' | 'due';

export const NO_FILTER: Filter = { q: '', assignee: [], label: [], priority: [], due: [] };

const DAY_MS = 86_400_000;
/** Today and the six days after it. */
const WEEK_DAYS = 7;

/** The filter in the query of an address. Values nobody knows are left out. */
export function parseFilter(search: string): Filter {
  const query = new URLSearchParams(search);
  const list = (name: string) => [
    ...new Set(query.getAll(name).flatMap((value) => value.split(',').filter((part) => part !== ''))),
  ];
  return {
    q: (query.get('q') ?? '').trim(),
    assignee: list('assignee'),
    label: list('label'),
    priority: PRIORITIES.filter((priority) => list('priority').includes(priority)),
    due: DUE_FILTERS.filter((due) => list('due').includes(due)),
  };
}

/** The query that says it, without a question mark; empty for no filter. */
export function filterQuery(filter: Filter): string {
  const parts: string[] = [];
  if (filter.q) parts.push(`q=${encodeURIComponent(filter.q)}`);
  for (const name of ['assignee', 'label', 'priority', 'due'] as const) {
    const values = filter[name];
    // Commas stay readable: they are allowed in a query.
    if (values.length > 0) parts.push(`${name}=${values.map(encodeURIComponent).join(',')}`);
  }
  return parts.join('&');
}

export const isEmpty = (filter: Filter): boolean => filterQuery(filter) === '';

/** The filter with one value more or less. */
export function toggled(filter: Filter, facet: Facet, value: string): Filter {
  const values: readonly string[] = filter[facet];
  const next = values.includes(value) ? values.filter((other) => other !== value) : [...values, value];
  return { ...filter, [facet]: next };
}

/** What a filter is read against. */
export interface Viewpoint {
  me: Id | null;
  timeZone: string;
  now: Date;
  /** Whether cards of that column are done: those are never overdue. */
  isDone: (status: string) => boolean;
}

/** Tells of each card whether it is shown. */
export function matcher(filter: Filter, at: Viewpoint): (card: Card) => boolean {
  const tests: Array<(card: Card) => boolean> = [];
  const words = fold(filter.q).split(/\s+/).filter(Boolean);
  if (words.length > 0) {
    tests.push((card) => {
      const text = fold(`${card.key} ${card.title}`);
      return words.every((word) => text.includes(word));
    });
  }
  if (filter.assignee.length > 0) {
    const wanted = filter.assignee.map((value) => (value === ME ? (at.me ?? NONE) : value));
    tests.push((card) => anyOf(card.assignee_ids, wanted));
  }
  if (filter.label.length > 0) tests.push((card) => anyOf(card.label_ids, filter.label));
  if (filter.priority.length > 0) tests.push((card) => filter.priority.includes(card.priority));
  if (filter.due.length > 0) {
    const today = dayIn(at.timeZone, at.now);
    tests.push((card) => filter.due.some((due) => isDue(card, due, today, at)));
  }
  return (card) => tests.every((test) => test(card));
}

/** Fields a card made under the filter has, so that it is not hidden at once. */
export function newCardFields(
  filter: Filter,
  me: Id | null,
): { assignee_ids?: Id[]; label_ids?: Id[]; priority?: Priority } {
  const only = <T extends string>(values: readonly T[]) => (values.length === 1 ? values[0] : undefined);
  const assignee = only(filter.assignee) === ME ? me : only(filter.assignee);
  const label = only(filter.label);
  const priority = only(filter.priority);
  return {
    ...(assignee && assignee !== NONE && { assignee_ids: [assignee] }),
    ...(label && label !== NONE && { label_ids: [label] }),
    ...(priority && { priority }),
  };
}

/** Letters as people search for them: capitals, accents and ё make no difference. */
function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

const anyOf = (ids: readonly Id[], wanted: readonly string[]) =>
  wanted.some((value) => (value === NONE ? ids.length === 0 : ids.includes(value)));

function isDue({ due, status }: Card, wanted: DueFilter, today: string, at: Viewpoint): boolean {
  if (due === null) return wanted === 'none';
  if (wanted === 'none') return false;
  const day = isDay(due) ? due : dayIn(at.timeZone, new Date(due));
  const distance = Math.round((Date.parse(day) - Date.parse(today)) / DAY_MS);
  if (wanted === 'overdue') {
    const over = isDay(due) ? distance < 0 : Date.parse(due) < at.now.getTime();
    return over && !at.isDone(status);
  }
  return distance >= 0 && distance < (wanted === 'today' ? 1 : WEEK_DAYS);
}
