import { describe, expect, test, vi } from 'vitest';
import { byProject, marked, Search } from '../src/lib/lists/search.svelte';
import type { Page, SearchHit } from '../src/lib/types';
import { card, later, settled } from './support/board';

const hit = (id: string, project = 'p'): SearchHit => ({
  kind: 'task',
  project: { id: project, key: project.toUpperCase(), name: project },
  task: card(id),
  comment: null,
  excerpt: '',
});
const page = (...items: SearchHit[]): Page<SearchHit> => ({ items, next_cursor: null });

test('an answer that comes after a newer question is dropped', async () => {
  const [first, second] = [later<Page<SearchHit>>(), later<Page<SearchHit>>()];
  const answers = [first, second];
  const search = new Search({ search: () => (answers.shift() as typeof first).promise }, 0);
  search.ask('ча', null, { now: true });
  search.ask('часы', null, { now: true });
  second.resolve(page(hit('t2')));
  await settled();
  first.resolve(page(hit('t1')));
  await settled();
  expect(search.hits?.map(({ task }) => task.id)).toEqual(['t2']);
  expect([search.words, search.busy]).toEqual(['часы', false]);
});

test('typing is one question, once it pauses', async () => {
  vi.useFakeTimers();
  const ask = vi.fn(async () => page());
  const search = new Search({ search: ask }, 180);
  for (const words of ['ч', 'ча', 'час']) search.ask(words, 'p');
  await vi.advanceTimersByTimeAsync(200);
  vi.useRealTimers();
  expect(ask.mock.calls).toEqual([['час', 'p', null]]);
});

test('an empty field asks for nothing and shows nothing, even if an answer is under way', async () => {
  const answer = later<Page<SearchHit>>();
  const search = new Search({ search: () => answer.promise }, 0);
  search.ask('часы', null, { now: true });
  search.ask('  ', null);
  answer.resolve(page(hit('t1')));
  await settled();
  expect(search.hits).toBeNull();
});

test('hits stand under their projects, in the order of the best hit', () => {
  const groups = byProject([hit('t1', 'b'), hit('t2', 'a'), hit('t3', 'b')]);
  expect(groups.map((group) => group.map(({ task }) => task.id))).toEqual([['t1', 't3'], ['t2']]);
});

describe('what was searched for is marked', () => {
  const parts = (text: string, words: string) =>
    marked(text, words).map((part) => (part.match ? `[${part.text}]` : part.text));
  test.each([
    ['Часы на главной', 'часы', ['[Часы]', ' на главной']],
    ['WEB-12: a+b (c)', 'a+b (c)', ['WEB-12: ', '[a+b]', ' ', '[(c)]']],
    ['no match', 'часы', ['no match']],
    ['<b>часы</b>', 'часы', ['<b>', '[часы]', '</b>']],
  ])('%s', (text, words, expected) => {
    expect(parts(text, words)).toEqual(expected);
  });
});
