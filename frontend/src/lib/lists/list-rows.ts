/** The cards of a project as the rows of a list: grouped, sorted, folded. Pure functions. */
import { DUE_GROUPS, type DueGroup, dueGroup } from '../time/dates';
import { type Card, type Column, type Id, type Language, type Member, PRIORITIES, type Priority } from '../types';
import { collator } from '../words/formats';

export const GROUPINGS = ['status', 'assignee', 'priority', 'due'] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** `board` is the order of the board. */
export const SORTINGS = ['board', 'key', 'title', 'priority', 'due', 'updated'] as const;
export type Sorting = (typeof SORTINGS)[number];
export interface Order {
  by: Sorting;
  descending: boolean;
}

export const readGrouping = (value: string | null): Grouping => GROUPINGS.find((name) => name === value) ?? 'status';

/** `due`, or `-due` for the other way round. */
export function readOrder(value: string | null): Order {
  const descending = value?.startsWith('-') ?? false;
  const name = descending ? value?.slice(1) : value;
  return { by: SORTINGS.find((sorting) => sorting === name) ?? 'board', descending };
}

export const writeOrder = ({ by, descending }: Order): string =>
  by === 'board' && !descending ? '' : `${descending ? '-' : ''}${by}`;

/** What the next press on the head of a column asks for: up, down, the order of the board. */
export function nextOrder(order: Order, by: Sorting): Order {
  if (order.by !== by) return { by, descending: false };
  return order.descending ? { by: 'board', descending: false } : { by, descending: true };
}

export interface Group {
  id: string;
  /** What it is about; null stands for nothing: nobody assigned. */
  value: { column: Column } | { member: Member } | { priority: Priority } | { due: DueGroup } | null;
  cards: Card[];
}

export interface Surroundings {
  columns: readonly Column[];
  members: ReadonlyMap<Id, Member>;
  timeZone: string;
  now: Date;
  language: Language;
}

/** The cards in their groups; a card of two people is in the group of each. Empty columns stay, other empty groups go. */
export function groupCards(cards: readonly Card[], by: Grouping, order: Order, at: Surroundings): Group[] {
  const groups = emptyGroups(by, at);
  const known = new Map(groups.map((group) => [group.id, group]));
  for (const card of sorted(cards, order, at.language))
    for (const id of idsFor(card, by, at)) known.get(id)?.cards.push(card);
  return by === 'status' ? groups : groups.filter(({ cards: list }) => list.length > 0);
}

function emptyGroups(by: Grouping, { columns, members, language }: Surroundings): Group[] {
  const compare = collator(language).compare;
  switch (by) {
    case 'status':
      return columns.map((column) => ({ id: column.key, value: { column }, cards: [] }));
    case 'priority':
      return PRIORITIES.toReversed().map((priority) => ({ id: priority, value: { priority }, cards: [] }));
    case 'due':
      return DUE_GROUPS.map((due) => ({ id: due, value: { due }, cards: [] }));
    case 'assignee':
      return [
        ...[...members.values()]
          .sort((a, b) => compare(a.name, b.name))
          .map((member) => ({ id: member.user_id, value: { member }, cards: [] })),
        { id: '', value: null, cards: [] },
      ];
  }
}

function idsFor(card: Card, by: Grouping, { members, timeZone, now }: Surroundings): string[] {
  switch (by) {
    case 'status':
      return [card.status];
    case 'priority':
      return [card.priority];
    case 'due':
      return [dueGroup(card.due, timeZone, now)];
    case 'assignee': {
      const present = card.assignee_ids.filter((id) => members.has(id));
      return present.length > 0 ? present : [''];
    }
  }
}

/** What has no date comes last, whichever way round. */
function sorted(cards: readonly Card[], { by, descending }: Order, language: Language): readonly Card[] {
  if (by === 'board') return cards;
  const sign = descending ? -1 : 1;
  const order = collator(language, { numeric: true });
  const compare: Record<Exclude<Sorting, 'board'>, (a: Card, b: Card) => number> = {
    key: (a, b) => sign * (a.number - b.number),
    title: (a, b) => sign * order.compare(a.title, b.title),
    // The most urgent first, as one wants it.
    priority: (a, b) => sign * (PRIORITIES.indexOf(b.priority) - PRIORITIES.indexOf(a.priority)),
    due: (a, b) =>
      a.due === null || b.due === null
        ? Number(a.due === null) - Number(b.due === null)
        : sign * (a.due < b.due ? -1 : a.due > b.due ? 1 : 0),
    updated: (a, b) => sign * (a.updated_at > b.updated_at ? -1 : a.updated_at < b.updated_at ? 1 : 0),
  };
  return cards.toSorted(compare[by]);
}

export type Row = { kind: 'group'; id: string; group: Group } | { kind: 'card'; id: string; card: Card };

/** One row after another; the cards of a folded group are left out. */
export function rowsOf(groups: readonly Group[], folded: ReadonlySet<string>): Row[] {
  return groups.flatMap((group): Row[] => [
    { kind: 'group', id: `group ${group.id}`, group },
    ...(folded.has(group.id)
      ? []
      : group.cards.map((card): Row => ({ kind: 'card', id: `${group.id} ${card.id}`, card }))),
  ]);
}
