import { expect, test } from 'vitest';
import { reordered } from '../src/lib/board/column-order.svelte';
import { gapBefore, placementIn } from '../src/lib/board/placing';
import { board, card } from './support/board';

const cards = (text: string) => [...text].map((id) => card(id));
const place = (shown: string, before: string | null, whole: string, moving = 'x') => {
  const set = new Set(moving);
  return placementIn(gapBefore('todo', cards(shown), before, set), cards(whole), set);
};

test.each([
  ['in front of the next one', 'abc', 'b', 'abc', { before_id: 'b' }],
  ['in front of the next one one sees, whatever is hidden between', 'ac', 'c', 'abc', { before_id: 'c' }],
  ['at the end of all', 'abc', null, 'abc', {}],
  ['behind the last one one sees, where hidden ones follow', 'ab', null, 'abcd', { after_id: 'b' }],
  ['where the next one is gone, behind the one above', 'abc', 'b', 'ac', { after_id: 'a' }],
  ['where both are gone, in front of the nearest below', 'abcd', 'b', 'cd', { before_id: 'c' }],
  ['where nobody is left, in the column', 'ab', 'b', 'yz', {}],
  ['in an empty column', '', null, '', {}],
  ['at the end, where only the moved one is behind', 'abx', null, 'abx', {}],
  ['in front of the one behind the moved one', 'axb', 'x', 'axb', { before_id: 'b' }],
])('a card is put %s', (_name, shown, before, whole, expected) => {
  expect(place(shown, before, whole)).toEqual({ status: 'todo', ...expected });
});

test('several cards count for nothing among those they are dropped between', () => {
  expect(place('axby', 'b', 'axby', 'xy')).toEqual({ status: 'todo', before_id: 'b' });
  expect(place('axby', null, 'axby', 'xy')).toEqual({ status: 'todo' });
});

test('a column is put in front of another one, or at the end', () => {
  const { columns } = board();
  const order = (id: string, before: string | null) => reordered(columns, { id, before }).map(({ key }) => key);
  expect(order('c-done', 'c-todo')).toEqual(['done', 'todo', 'doing']);
  expect(order('c-todo', null)).toEqual(['doing', 'done', 'todo']);
  expect(order('c-todo', 'c-doing')).toEqual(['todo', 'doing', 'done']);
  expect(order('gone', null)).toEqual(['todo', 'doing', 'done']);
  expect(order('c-todo', 'gone')).toEqual(['todo', 'doing', 'done']);
});
