import { describe, expect, test } from 'vitest';
import { Lineage } from '../src/lib/board/lineage';
import { conflictOf, mergeChecklists, mergeLists, mergeSets } from '../src/lib/board/merge';
import { ApiError } from '../src/lib/server/errors';
import { task } from './support/board';

describe('sets', () => {
  test.each([
    ['both added', ['a'], ['a', 'b'], ['a', 'c'], ['a', 'c', 'b']],
    ['I removed', ['a', 'b'], ['b'], ['a', 'b', 'c'], ['b', 'c']],
    ['they removed', ['a', 'b'], ['a', 'b', 'c'], ['b'], ['b', 'c']],
    ['both removed', ['a', 'b'], ['a'], ['a'], ['a']],
    ['both added the same', [], ['a'], ['a'], ['a']],
  ])('%s', (_name, base, mine, theirs, result) => {
    expect(mergeSets(base, mine, theirs)).toEqual(result);
  });
});

describe('checklists', () => {
  const item = (id: string, text = id, done = false) => ({ id, text, done });

  test('my tick and their new line both stay', () => {
    const merged = mergeChecklists([item('a')], [item('a', 'a', true)], [item('a'), item('b')]);
    expect(merged).toEqual([item('a', 'a', true), item('b')]);
  });

  test('my words and their tick of one line both stay', () => {
    expect(mergeChecklists([item('a')], [item('a', 'new words')], [item('a', 'a', true)])).toEqual([
      item('a', 'new words', true),
    ]);
  });

  test('what I removed is gone, what I added without an id is there', () => {
    const added = { text: 'fresh', done: false };
    expect(mergeChecklists([item('a'), item('b')], [item('b'), added], [item('a'), item('b')])).toEqual([
      item('b'),
      added,
    ]);
  });

  test('what they removed stays removed', () => {
    expect(mergeChecklists([item('a'), item('b')], [item('a', 'a', true), item('b')], [item('b')])).toEqual([
      item('b'),
    ]);
  });
});

describe('a conflict', () => {
  const sides = { current: task('t1'), mine: {}, theirs: { label_ids: ['x'], title: 'T' }, base: { label_ids: [] } };

  test('is read from its problem, other refusals are none', () => {
    const problem = { code: 'version_conflict', fields: ['title'], ...sides };
    expect(conflictOf(new ApiError(409, problem))?.fields).toEqual(['title']);
    expect(conflictOf(new ApiError(409, { code: 'conflict' }))).toBeNull();
  });

  test('about a text is for a person', () => {
    const merged = mergeLists({ title: 'M', label_ids: ['y'] }, { fields: ['title', 'label_ids'], ...sides });
    expect(merged).toEqual({ fields: { title: 'M', label_ids: ['x', 'y'] }, left: ['title'] });
  });

  test('whose base is forgotten is for a person', () => {
    expect(mergeLists({ label_ids: ['y'] }, { fields: ['label_ids'], ...sides, base: null })).toEqual({
      fields: { label_ids: ['y'] },
      left: ['label_ids'],
    });
  });

  test('about labels keeps the other fields of the change', () => {
    const merged = mergeLists({ priority: 'low', label_ids: ['y'] }, { fields: ['label_ids'], ...sides });
    expect(merged).toEqual({ fields: { priority: 'low', label_ids: ['x', 'y'] }, left: [] });
  });
});

describe('lineage', () => {
  test('moves past our own changes of the same field, one after the other', () => {
    const lineage = new Lineage();
    lineage.accepted('t', ['title'], 1, 2);
    lineage.accepted('t', ['title'], 2, 5);
    expect(lineage.follow('t', ['title'], 1)).toBe(5);
    expect(lineage.follow('t', ['title'], 3)).toBe(5);
    expect(lineage.follow('t', ['title'], 5)).toBe(5);
  });

  test('does not hide what others did to another field', () => {
    const lineage = new Lineage();
    lineage.accepted('t', ['title'], 1, 4);
    expect(lineage.follow('t', ['priority'], 1)).toBe(1);
    expect(lineage.follow('t', ['title', 'priority'], 1)).toBe(1);
    expect(lineage.follow('other', ['title'], 1)).toBe(1);
  });
});
