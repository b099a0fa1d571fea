import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { reduce } from '../src/lib/board/reducer';
import type { Board, BoardEvent } from '../src/lib/types';

interface Example {
  name: string;
  board: Board;
  events: BoardEvent[];
  expected: Board;
}

const fixtures = resolve(import.meta.dirname, '../../tests/fixtures/protocol/reducer.json');
const examples: Example[] = JSON.parse(readFileSync(fixtures, 'utf8'));

describe('the examples shared with the server', () => {
  test.each(examples)('$name', ({ board, events, expected }) => {
    expect(events.reduce(reduce, board)).toEqual(expected);
  });

  test('name every event type of the protocol', () => {
    const types = new Set(examples.flatMap((example) => example.events.map((event) => event.type)));
    for (const type of [
      ...['created', 'updated', 'moved', 'assigned', 'deleted', 'restored'].map((verb) => `task_${verb}`),
      ...['added', 'updated', 'deleted'].map((verb) => `comment_${verb}`),
      ...['updated', 'deleted', 'member_added', 'member_updated', 'member_removed'].map((verb) => `project_${verb}`),
      ...['created', 'updated', 'deleted'].flatMap((verb) => [`column_${verb}`, `label_${verb}`]),
    ]) {
      expect(types, type).toContain(type);
    }
  });
});

test('the board given in is never changed', () => {
  for (const { board, events } of examples) {
    const before = structuredClone(board);
    events.reduce(reduce, board);
    expect(board).toEqual(before);
  }
});

test('an event that is not next gives back the same object, so nothing is drawn again', () => {
  const { board, events } = examples[0] as Example;
  const late = { ...(events[0] as BoardEvent), seq: board.seq };
  expect(reduce(board, late)).toBe(board);
});

test('cards an event does not touch stay the same objects', () => {
  const { board, events } = examples[0] as Example;
  const after = reduce(board, events[0] as BoardEvent);
  for (const card of board.tasks) expect(after.tasks).toContain(card);
});
