import { describe, expect, test } from 'vitest';
import { filterQuery, isEmpty, matcher, NO_FILTER, newCardFields, parseFilter, toggled } from '../src/lib/board/filter';
import type { Card } from '../src/lib/types';
import { card } from './support/board';

const AT = {
  me: 'anna',
  timeZone: 'Europe/Moscow',
  // Half past one in the night of the 26th in Moscow.
  now: new Date('2026-11-25T22:30:00Z'),
  isDone: (status: string) => status === 'done',
};
const shows = (search: string, over: Partial<Card>) => matcher(parseFilter(search), AT)(card('t7', over));

describe('the address', () => {
  test.each([
    '',
    'q=%D1%81%D0%B0%D0%B9%D1%82%20now',
    'assignee=me,none,u1',
    'label=l1&priority=low,urgent&due=overdue,week',
  ])('%s is read and written as it was', (query) => {
    expect(filterQuery(parseFilter(query))).toBe(query);
  });

  test('leaves out what nobody knows, doubles, and the parameters of others', () => {
    const filter = parseFilter('?priority=high,huge&due=someday&label=a,a,&task=p.3&assignee=');
    expect(filterQuery(filter)).toBe('label=a&priority=high');
    expect(isEmpty(parseFilter('?task=p.3'))).toBe(true);
    expect(isEmpty(filter)).toBe(false);
  });
});

describe('a card is shown', () => {
  test.each<[string, Partial<Card>, boolean]>([
    ['q=FIX', { title: 'Prefix' }, true],
    ['q=t', { key: 'WEB-7', title: 'x' }, false],
    ['q=web-7', { title: 'x' }, true],
    ['q=емкость', { title: 'Ёмкость' }, true],
    ['q=b a', { title: 'a b' }, true],
    ['q=b c', { title: 'a b' }, false],
    ['assignee=me', { assignee_ids: ['boris', 'anna'] }, true],
    ['assignee=me', { assignee_ids: ['boris'] }, false],
    ['assignee=boris,none', { assignee_ids: [] }, true],
    ['assignee=boris,none', { assignee_ids: ['anna'] }, false],
    ['label=l1,l2', { label_ids: ['l2'] }, true],
    ['label=none', { label_ids: ['l2'] }, false],
    ['priority=high,urgent', { priority: 'urgent' }, true],
    ['priority=none', { priority: 'low' }, false],
    ['due=none', { due: null }, true],
    ['due=today', { due: null }, false],
    ['due=today', { due: '2026-11-26' }, true],
    ['due=today', { due: '2026-11-25' }, false],
    ['due=today', { due: '2026-11-25T22:00:00.000Z' }, true],
    ['due=overdue', { due: '2026-11-25' }, true],
    ['due=overdue', { due: '2026-11-25', status: 'done' }, false],
    ['due=overdue', { due: '2026-11-25T22:00:00.000Z' }, true],
    ['due=overdue', { due: '2026-11-26' }, false],
    ['due=week', { due: '2026-12-02' }, true],
    ['due=week', { due: '2026-12-03' }, false],
    ['due=overdue,none', { due: null }, true],
    ['label=l1&priority=low', { label_ids: ['l1'], priority: 'high' }, false],
  ])('?%s %o: %s', (search, over, expected) => {
    expect(shows(search, over)).toBe(expected);
  });

  test('for nobody in particular "me" is nobody', () => {
    const test = matcher(parseFilter('assignee=me'), { ...AT, me: null });
    expect(test(card('t1', { assignee_ids: ['anna'] }))).toBe(false);
  });
});

test('a value is put in and taken out', () => {
  const filter = toggled(toggled(NO_FILTER, 'priority', 'high'), 'priority', 'low');
  expect(filter.priority).toEqual(['high', 'low']);
  expect(toggled(filter, 'priority', 'high').priority).toEqual(['low']);
});

test('a new card has what the filter asks for, where that is one thing', () => {
  expect(newCardFields(parseFilter('assignee=me&label=l1&priority=low'), 'anna')).toEqual({
    assignee_ids: ['anna'],
    label_ids: ['l1'],
    priority: 'low',
  });
  expect(newCardFields(parseFilter('assignee=none&label=l1,l2&q=x'), 'anna')).toEqual({});
});
