import { describe, expect, test } from 'vitest';
import { complete, mentionAt, suggest } from '../src/lib/task/mention';

describe('mentionAt', () => {
  test.each([
    ['@', 1, { start: 0, query: '' }],
    ['Привет, @ан', 11, { start: 8, query: 'ан' }],
    ['(@анна п', 8, { start: 1, query: 'анна п' }],
    ['anna@example.org', 16, null],
    ['@анна\nи', 7, null],
    ['no mention', 10, null],
    ['@ab', 1, { start: 0, query: '' }],
  ])('%j at %d', (text, caret, found) => {
    expect(mentionAt(text, caret)).toEqual(found);
  });
});

describe('suggest', () => {
  const names = ['Анна Петрова', 'Борис Ким', 'Ким Ли'];

  test('goes by the beginning of any word, whatever the case', () => {
    expect(suggest(names, '')).toEqual(names);
    expect(suggest(names, 'пет')).toEqual(['Анна Петрова']);
    expect(suggest(names, 'ки')).toEqual(['Борис Ким', 'Ким Ли']);
    expect(suggest(names, 'анна п')).toEqual(['Анна Петрова']);
    expect(suggest(names, 'етр')).toEqual([]);
  });

  test('is silent once a name is whole', () => {
    expect(suggest(names, 'Анна Петрова и')).toEqual([]);
  });
});

test('complete puts the name in and the caret behind a space, unless a sign follows', () => {
  const text = 'Hi @an, look';
  expect(complete(text, { start: 3, query: 'an' }, 'Анна')).toEqual({ text: 'Hi @Анна, look', caret: 8 });
  expect(complete('@б конец', { start: 0, query: 'б' }, 'Борис')).toEqual({ text: '@Борис конец', caret: 7 });
  expect(complete('@б', { start: 0, query: 'б' }, 'Борис')).toEqual({ text: '@Борис ', caret: 7 });
});
