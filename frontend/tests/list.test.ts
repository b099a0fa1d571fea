import { describe, expect, test } from 'vitest';
import {
  type Grouping,
  groupCards,
  nextOrder,
  type Order,
  readGrouping,
  readOrder,
  rowsOf,
  writeOrder,
} from '../src/lib/lists/list-rows';
import { shiftOf } from '../src/lib/lists/row-window.svelte';
import { board, card } from './support/board';

const BOARD: Order = { by: 'board', descending: false };
const { columns, members } = board();
const at = {
  columns,
  members: new Map(members.map((member) => [member.user_id, member])),
  timeZone: 'UTC',
  now: new Date('2026-11-25T10:00:00Z'),
  language: 'ru' as const,
};
const cards = [
  card('t1', { title: 'ёлка', priority: 'low', due: '2026-11-30', assignee_ids: ['boris'] }),
  card('t2', { title: 'Жук', priority: 'urgent', status: 'doing', assignee_ids: ['boris', 'anna'] }),
  card('t10', { title: 'Дом', due: '2026-11-20', assignee_ids: ['gone'] }),
];
const groups = (by: Grouping, order = BOARD) =>
  groupCards(cards, by, order, at).map((group) => [group.id, group.cards.map(({ id }) => id)]);

describe('groups', () => {
  test('by column keep the order of the board, and empty columns', () => {
    expect(groups('status')).toEqual([
      ['todo', ['t1', 't10']],
      ['doing', ['t2']],
      ['done', []],
    ]);
  });

  test('by person name a card under each of its people, and last under nobody', () => {
    expect(groups('assignee')).toEqual([
      ['anna', ['t2']],
      ['boris', ['t1', 't2']],
      ['', ['t10']],
    ]);
  });

  test('by priority begin with the most urgent, by due date with what is late', () => {
    expect(groups('priority').map(([id]) => id)).toEqual(['urgent', 'low', 'none']);
    expect(groups('due')).toEqual([
      ['overdue', ['t10']],
      ['week', ['t1']],
      ['none', ['t2']],
    ]);
  });
});

describe('sorting', () => {
  const sorted = (by: Order['by'], descending = false) =>
    groupCards(cards, 'status', { by, descending }, at).flatMap((group) => group.cards.map(({ id }) => id));
  test.each<[Order['by'], boolean, string[]]>([
    ['key', false, ['t1', 't10', 't2']],
    ['title', false, ['t10', 't1', 't2']],
    ['title', true, ['t1', 't10', 't2']],
    ['due', false, ['t10', 't1', 't2']],
    ['due', true, ['t1', 't10', 't2']],
    ['priority', false, ['t1', 't10', 't2']],
  ])('by %s, descending %s', (by, descending, ids) => {
    expect(sorted(by, descending)).toEqual(ids);
  });

  test('a head asks for up, down and the order of the board, and the address keeps it', () => {
    const up = nextOrder(BOARD, 'due');
    const down = nextOrder(up, 'due');
    expect([up, down, nextOrder(down, 'due')].map(writeOrder)).toEqual(['due', '-due', '']);
    for (const order of [up, down, BOARD]) expect(readOrder(writeOrder(order))).toEqual(order);
    expect(readOrder('-nonsense').by).toBe('board');
    expect([readGrouping('due'), readGrouping('nonsense'), readGrouping(null)]).toEqual(['due', 'status', 'status']);
  });
});

test('a folded group shows its head alone', () => {
  const rows = rowsOf(groupCards(cards, 'status', BOARD, at), new Set(['todo']));
  expect(rows.map(({ id }) => id)).toEqual(['group todo', 'group doing', 'doing t2', 'group done']);
});

describe('what one looks at stays where it is', () => {
  const rows = (...ids: string[]) => ids.map((id) => ({ id }));
  test('rows that come or go above move the rest by as many', () => {
    expect(shiftOf(rows('a', 'b', 'c'), rows('new', 'a', 'b', 'c'), 1)).toBe(1);
    expect(shiftOf(rows('a', 'b', 'c'), rows('b', 'c'), 1)).toBe(-1);
    expect(shiftOf(rows('a', 'b', 'c'), rows('a', 'b', 'c', 'new'), 1)).toBe(0);
  });
  test('where the first visible row is gone the next one counts', () => {
    expect(shiftOf(rows('a', 'b', 'c'), rows('new', 'other', 'a', 'c'), 1)).toBe(1);
  });
});
