import { describe, expect, test } from 'vitest';
import { find } from '../src/lib/palette/find';
import type { ItemKind, PaletteItem } from '../src/lib/palette/items';
import { score } from '../src/lib/palette/match';
import { fold, otherLayout, readings } from '../src/lib/words/fold';

describe('folding', () => {
  test('knows no case, and no ё', () => {
    expect(fold('Ёлка ДОМ Board')).toBe('елка дом board');
  });

  test.each([
    ['ищфкв', 'board'],
    ['ljrf', 'дока'],
    ['пщ ещ', 'go to'],
    ['42', '42'],
  ])('%s on the other layout is %s', (typed, meant) => {
    expect(otherLayout(typed)).toBe(meant);
  });

  test('a text without letters has one reading', () => {
    expect(readings('42')).toEqual(['42']);
  });
});

describe('a fit', () => {
  const order = (query: string, ...texts: string[]) =>
    texts
      .map((text) => ({ text, fit: score(readings(query), fold(text)) }))
      .filter(({ fit }) => fit > 0)
      .sort((a, b) => b.fit - a.fit)
      .map(({ text }) => text);

  test('is better at the beginning, then at a word, then within', () => {
    expect(order('card', 'Discard it', 'Move card', 'Card moved')).toEqual(['Card moved', 'Move card', 'Discard it']);
  });

  test('takes words in any order, and needs all of them', () => {
    expect(order('moved card', 'Card moved', 'Card')).toEqual(['Card moved']);
  });

  test('finds letters scattered over a text, but not far apart', () => {
    expect(order('crdmv', 'Card moved', 'Carry our documents to my vault')).toEqual(['Card moved']);
  });

  test('finds what was typed with the wrong layout on, after what was meant as typed', () => {
    expect(order('ищфкв', 'Board')).toEqual(['Board']);
    expect(order('ljv', 'Дом', 'LJV')).toEqual(['LJV', 'Дом']);
  });

  test('finds ёлка by елка', () => {
    expect(order('елк', 'Нарядить ёлку')).toEqual(['Нарядить ёлку']);
  });

  test('nothing fits what is not there', () => {
    expect(order('zz', 'Card')).toEqual([]);
    expect(score([''], 'card')).toBe(0);
  });
});

const item = (id: string, title: string, kind: ItemKind = 'task'): PaletteItem => ({
  id,
  kind,
  title,
  icon: 'board',
  text: fold(title),
  run() {},
});

describe('the palette', () => {
  test('offers what was chosen lately, then actions', () => {
    const items = [item('t1', 'Card'), item('a1', 'Undo', 'action'), item('a2', 'Redo', 'action')];
    expect(find(items, ' ', ['t1', 'gone', 'a2'])).toMatchObject([
      { kind: 'recent', items: [{ id: 't1' }, { id: 'a2' }] },
      { kind: 'action', items: [{ id: 'a1' }] },
    ]);
  });

  test('shows the kind with the best fit first, and of equals the recent one', () => {
    const items = [item('a', 'Move up', 'action'), item('t1', 'Big move'), item('t2', 'Big move')];
    expect(find(items, 'big', ['t2']).map((group) => group.items.map(({ id }) => id))).toEqual([['t2', 't1']]);
    expect(find(items, 'move', []).map(({ kind }) => kind)).toEqual(['action', 'task']);
  });

  test('is quick among five thousand tasks', () => {
    const items = Array.from({ length: 5_000 }, (_, index) =>
      item(`t${index}`, `Задача номер ${index} про сервер и базу`),
    );
    find(items, 'базу', []);
    const start = performance.now();
    const [group] = find(items, 'zzервер 4999', []);
    find(items, ',fpe', []);
    find(items, 'сервер 4999', []);
    expect((performance.now() - start) / 3).toBeLessThan(150);
    expect(group).toBeUndefined();
    expect(find(items, 'сервер 4999', [])[0]?.items[0]?.id).toBe('t4999');
  });
});
