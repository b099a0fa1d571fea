import { describe, expect, test } from 'vitest';
import {
  chipsOf,
  complete,
  completionAt,
  fieldsOf,
  parseNewCard,
  type SyntaxContext,
  withoutToken,
} from '../src/lib/board/new-card-syntax';

const context: SyntaxContext = {
  now: new Date('2026-11-25T10:00:00Z'),
  timeZone: 'Europe/Moscow',
  language: 'en',
  me: 'anna',
  people: [
    { value: 'anna', name: 'Anna Petrova' },
    { value: 'fedor', name: 'Фёдор' },
  ],
  labels: [
    { value: 'l1', name: 'bug' },
    { value: 'l2', name: 'bug report' },
    { value: 'l3', name: 'Ошибка' },
  ],
  columns: [
    { value: 'todo', name: 'To do' },
    { value: 'doing', name: 'В работе' },
  ],
  priorities: ['urgent', 'high', 'medium', 'low', 'none'].map((value) => ({ value, name: value })),
};
const read = (text: string) => {
  const { title, tokens } = parseNewCard(text, context);
  return { title, ...fieldsOf(tokens) };
};

describe('a new card says', () => {
  test.each([
    ['Pay the bill', { title: 'Pay the bill' }],
    ['Pay @anna', { title: 'Pay', assignee_ids: ['anna'] }],
    ['@Anna Petrova pays', { title: 'pays', assignee_ids: ['anna'] }],
    ['Спросить @федор и @me', { title: 'Спросить и', assignee_ids: ['fedor', 'anna'] }],
    ['Fix #bug', { title: 'Fix', label_ids: ['l1'] }],
    ['Fix #bug report now', { title: 'Fix now', label_ids: ['l2'] }],
    ['#bug #ошибка Fix', { title: 'Fix', label_ids: ['l1', 'l3'] }],
    ['Fix !high', { title: 'Fix', priority: 'high' }],
    ['Починить !срочно', { title: 'Починить', priority: 'urgent' }],
    ['Fix !1', { title: 'Fix', priority: 'urgent' }],
    ['Fix ^doing', { title: 'Fix', status: 'doing' }],
    ['Fix ^в работе !low', { title: 'Fix', status: 'doing', priority: 'low' }],
    ['Pay tomorrow', { title: 'Pay', due: '2026-11-26' }],
    ['Сдать отчёт до пятницы', { title: 'Сдать отчёт', due: '2026-11-27' }],
    ['Созвон пт 15:00 @федор', { title: 'Созвон', due: '2026-11-27T12:00:00.000Z', assignee_ids: ['fedor'] }],
    ['Pay in 3 days, please', { title: 'Pay, please', due: '2026-11-28' }],
    ['Через неделю позвонить', { title: 'позвонить', due: '2026-12-02' }],
  ])('%s', (text, card) => {
    expect(read(text)).toEqual(card);
  });

  test.each([
    'Write to anna@example.org',
    'Issue #404',
    'Ask @nobody',
    'Wow!high',
    'x^2 + 1',
    'Upgrade to Python 3.11',
    'Part 1/2',
    'Buy 25 apples',
    'May I ask',
    'C# and F#',
    '#bugs',
  ])('nothing but its title: %s', (text) => {
    expect(read(text)).toEqual({ title: text });
  });

  test.each([
    ['Ask \\@anna', 'Ask @anna'],
    ['Plan for \\tomorrow', 'Plan for tomorrow'],
    ['\\#bug is a word', '#bug is a word'],
    ['a \\ b', 'a \\ b'],
    ['C:\\dir', 'C:\\dir'],
  ])('with a backslash it is text: %s', (text, title) => {
    expect(read(text)).toEqual({ title });
  });

  test('once what it has once, the last of them', () => {
    const { tokens } = parseNewCard('Fix !high !low @anna @me', context);
    expect(chipsOf(tokens).map(({ value }) => value)).toEqual(['low', 'anna']);
    expect(fieldsOf(tokens)).toEqual({ priority: 'low', assignee_ids: ['anna'] });
  });

  test('a chip taken away is a part of the title', () => {
    const text = 'Report on friday';
    const [token] = parseNewCard(text, context).tokens;
    expect(token && read(withoutToken(text, token))).toEqual({ title: 'Report on friday' });
  });
});

describe('while a sign is being typed', () => {
  const names = (text: string) => completionAt(text, text.length, context)?.choices.map(({ name }) => name) ?? null;

  test.each([
    ['Fix #', ['bug', 'bug report', 'Ошибка']],
    ['Fix #bug r', ['bug report']],
    ['@фед', ['Фёдор']],
    ['@pet', ['Anna Petrova']],
    ['Fix ^раб', ['В работе']],
    ['Fix !ur', ['urgent']],
    ['Fix #zzz', null],
    ['Fix #bug', null],
    ['mail@fe', null],
    ['plain', null],
  ])('%s offers %j', (text, offered) => {
    expect(names(text)).toEqual(offered);
  });

  test('a choice is put in whole, and the caret stands behind it', () => {
    const text = 'Fix #bu now';
    const completion = completionAt(text, 7, context);
    expect(completion && complete(text, completion, { value: 'l2', name: 'bug report' })).toEqual({
      text: 'Fix #bug report now',
      caret: 16,
    });
  });
});
