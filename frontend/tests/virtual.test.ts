import { afterEach, describe, expect, test, vi } from 'vitest';
import { RowWindow } from '../src/lib/lists/row-window.svelte';
import { offsetsOf, rowAt, rowsBetween, scrollToShow, shiftOf } from '../src/lib/lists/virtual';
import { VirtualList } from '../src/lib/lists/virtual-list.svelte';

const TEN = offsetsOf(10, () => 100);
const ids = (text: string) => [...text].map((id) => ({ id }));

test('offsets are the tops of all rows, and the height of all', () => {
  expect([...offsetsOf(3, (index) => (index + 1) * 10)]).toEqual([0, 10, 30, 60]);
  expect([...offsetsOf(0, () => 1)]).toEqual([0]);
});

test.each([
  [-50, 0],
  [0, 0],
  [99, 0],
  [100, 1],
  [950, 9],
  [5_000, 9],
])('at %d px stands row %d', (y, row) => {
  expect(rowAt(TEN, y)).toBe(row);
});

test('an empty list has no row', () => {
  expect(
    rowAt(
      offsetsOf(0, () => 1),
      0,
    ),
  ).toBe(-1);
  expect(
    rowsBetween(
      offsetsOf(0, () => 1),
      0,
      100,
    ),
  ).toEqual({ start: 0, end: 0 });
});

test('rows between two heights are those that touch the stretch', () => {
  expect(rowsBetween(TEN, 150, 350)).toEqual({ start: 1, end: 4 });
  expect(rowsBetween(TEN, -500, 50)).toEqual({ start: 0, end: 1 });
});

describe('what one looks at', () => {
  const seen = [
    { id: 'c', top: 200 },
    { id: 'd', top: 300 },
    { id: 'e', top: 400 },
  ];
  const shift = (order: string) => shiftOf(seen, ids(order), TEN);

  test('has moved by what was put in and taken out above', () => {
    expect(shift('abcdefg')).toBe(0);
    expect(shift('xyabcdefg')).toBe(200);
    expect(shift('acdefg')).toBe(-100);
  });

  test('is not taken along by one card that was moved elsewhere', () => {
    expect(shift('abdcefg')).toBe(0);
    expect(shift('abdefgc')).toBe(-100);
    expect(shift('abcdefgx')).toBe(0);
  });

  test('stays where nothing of it is left', () => {
    expect(shift('xyz')).toBe(0);
  });
});

test.each([
  ['visible already', 250, 350, 200],
  ['above', 100, 200, 92],
  ['at the very top', 0, 100, 0],
  ['below', 700, 800, 408],
  ['taller than the window, its head', 700, 1_500, 692],
])('a row %s is shown by the least scrolling', (_name, top, bottom, expected) => {
  expect(scrollToShow(200, 400, top, bottom, 8)).toBe(expected);
});

describe('a long list that is opened', () => {
  const rows = Array.from({ length: 1_000 }, (_, index) => ({ id: `row ${index}` }));
  const LISTS = [
    [
      'of rows with heights of their own',
      () => {
        const [pinned, lifted] = [() => [], () => null];
        return new VirtualList({ rows: () => rows, estimate: () => 50, pinned, lifted });
      },
    ],
    [
      'of rows of one height',
      () =>
        new RowWindow(
          () => rows,
          () => 50,
          () => null,
        ),
    ],
  ] as const;

  afterEach(() => vi.useRealTimers());

  test.each(LISTS)('draws first what one sees, and then few rows with each task: %s', (_name, make) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'requestAnimationFrame'] });
    const list = make();
    const seen = Math.ceil(innerHeight / 50);
    const { destroy } = list.attach(document.createElement('div'));
    expect(Math.abs(list.drawn.length - seen)).toBeLessThan(2);
    while (vi.getTimerCount() > 0) {
      const before = list.drawn.length;
      vi.advanceTimersToNextTimer();
      expect(list.drawn.length - before).toBeLessThan(10);
    }
    expect(list.drawn.length).toBeGreaterThan(seen + 5);
    expect(list.drawn.length).toBeLessThan(seen + 50);
    destroy();
  });
});
