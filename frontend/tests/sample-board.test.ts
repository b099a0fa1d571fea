import { expect, test, vi } from 'vitest';
import { makeSampleBoard, sampleCards } from '../src/lib/board/sample-board';
import type { Endpoints } from '../src/lib/server/endpoints';
import { LIMITS } from '../src/lib/server/limits';
import { dueDay, isDay } from '../src/lib/time/dates';
import { type Language, PRIORITIES } from '../src/lib/types';
import { i18n } from '../src/lib/words/i18n.svelte';
import { board, task } from './support/board';

const TODAY = '2026-02-28';
const LANGUAGES: Language[] = ['en', 'ru'];

test.each(LANGUAGES)('the cards of a sample board in %s are such as the server takes', (language) => {
  i18n.language = language;
  const cards = sampleCards(TODAY);
  expect(cards.length).toBeGreaterThanOrEqual(12);
  expect(new Set(cards.map(({ title }) => title)).size).toBe(cards.length);
  for (const { title, description, priority = 'none', due, checklist = [] } of cards) {
    expect(title.trim()).toBe(title);
    expect(title).toMatch(language === 'ru' ? /[а-яё]/i : /^[\x20-\x7e“”’]+$/);
    expect(title.length).toBeLessThanOrEqual(LIMITS.title);
    expect(description.length).toBeLessThanOrEqual(LIMITS.description);
    expect(PRIORITIES).toContain(priority);
    if (due) expect(isDay(due) && dueDay(due, 'UTC') === due && !Number.isNaN(Date.parse(due))).toBe(true);
    for (const { text } of checklist) expect(text.length).toBeLessThanOrEqual(LIMITS.checklistText);
  }
  const dues = cards.flatMap(({ due }) => due ?? []);
  expect(dues).toEqual(['2026-02-28', '2026-03-03', '2026-02-27']);
});

test('a sample board is made in order, in the columns that the project has', async () => {
  const create = vi.fn<Endpoints['tasks']['create']>(async () => task('t1'));
  const rest = { projects: { create: async () => board().project, board: async () => board() }, tasks: { create } };
  expect(await makeSampleBoard(rest as unknown as Endpoints, TODAY)).toBe('p');
  const made = create.mock.calls.map(([body]) => body as { title: string; status: string; column?: number });
  expect(made.map(({ title }) => title)).toEqual(sampleCards(TODAY).map(({ title }) => title));
  expect(new Set(made.map(({ status }) => status))).toEqual(new Set(['todo', 'doing', 'done']));
  expect(made.some(({ column }) => column !== undefined)).toBe(false);
});

test('a card that fails leaves a board all the same', async () => {
  const create = vi.fn(async () => Promise.reject(new Error('no')));
  const rest = { projects: { create: async () => board().project, board: async () => board() }, tasks: { create } };
  expect(await makeSampleBoard(rest as unknown as Endpoints, TODAY)).toBe('p');
});
