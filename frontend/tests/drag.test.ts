import { afterEach, describe, expect, test, vi } from 'vitest';
import { Drag } from '../src/lib/drag/drag.svelte';
import { dropAt, Pager, speed } from '../src/lib/drag/drag-geometry';

/** A board of columns 272 px wide and cards 100 px high, laid out by hand: happy-dom has no layout. */
function layOut(columns: Record<string, string[]>): HTMLElement {
  const board = document.createElement('div');
  Object.entries(columns).forEach(([key, cards], column) => {
    const list = document.createElement('ul');
    list.dataset.column = key;
    const x = column * 280;
    list.getBoundingClientRect = () => new DOMRect(x, 0, 272, 600);
    cards.forEach((id, index) => {
      const card = document.createElement('li');
      card.dataset.card = id;
      card.getBoundingClientRect = () => new DOMRect(x, index * 108, 272, 100);
      list.append(card);
    });
    board.append(list);
  });
  board.getBoundingClientRect = () => new DOMRect(0, 0, 1000, 700);
  board.setPointerCapture = () => {};
  document.body.append(board);
  return board;
}

afterEach(() => document.body.replaceChildren());

describe('dropAt', () => {
  const columns = { todo: ['a', 'b', 'c'], done: [] };

  test.each([
    ['above the middle of a card', { x: 100, y: 140 }, 'x', { status: 'todo', before: 'b' }],
    ['below its middle', { x: 100, y: 170 }, 'x', { status: 'todo', before: 'c' }],
    ['below the last card', { x: 100, y: 580 }, 'x', { status: 'todo', before: null }],
    ['in an empty column', { x: 400, y: 300 }, 'x', { status: 'done', before: null }],
    ['beside the board, the nearest column', { x: 900, y: 10 }, 'x', { status: 'done', before: null }],
    ['over its own place it counts for nothing', { x: 100, y: 20 }, 'a', { status: 'todo', before: 'b' }],
  ])('%s', (_name, at, dragged, drop) => {
    expect(dropAt(layOut(columns), at, dragged)).toEqual(drop);
  });

  test('below the drawn part of a long column is in front of the rest', () => {
    const board = layOut(columns);
    (board.querySelector('[data-column=todo]') as HTMLElement).dataset.rest = 'd';
    expect(dropAt(board, { x: 100, y: 580 }, 'x')).toEqual({ status: 'todo', before: 'd' });
  });
});

test('scrolling starts at an edge and is fastest at its end', () => {
  expect(speed(300, 0, 600)).toBe(0);
  expect(speed(580, 0, 600)).toBeGreaterThan(0);
  expect(speed(700, 0, 600)).toBe(18);
  expect(speed(-50, 0, 600)).toBe(-18);
});

test('where one column fills the screen, an edge turns the page after a while, and again', () => {
  const pager = new Pager();
  const turns = [0, 400, 500, 700, 1_000].map((now) => pager.turn(380, 0, 390, now));
  expect(turns).toEqual([0, 0, 1, 0, 1]);
  expect(pager.turn(200, 0, 390, 1_100)).toBe(0);
  expect(pager.turn(5, 0, 390, 1_200)).toBe(0);
  expect(pager.turn(5, 0, 390, 1_700)).toBe(-1);
});

describe('a drag', () => {
  function start(pointerType: string) {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'requestAnimationFrame', 'cancelAnimationFrame'] });
    const board = layOut({ todo: ['a', 'b'], done: ['c'] });
    const release = vi.fn();
    const change = vi.fn();
    const options = { canDrag: vi.fn(() => true), hold: vi.fn(() => release), onDrop: vi.fn(() => change) };
    const drag = new Drag(options);
    const { destroy } = drag.attach(board);
    const card = board.querySelector('[data-card=a]') as HTMLElement;
    const fire = (type: string, x: number, y: number, target: HTMLElement = card) =>
      target.dispatchEvent(
        new PointerEvent(type, { bubbles: true, isPrimary: true, pointerId: 1, pointerType, clientX: x, clientY: y }),
      );
    return { board, drag, fire, release, destroy, change, ...options };
  }
  afterEach(() => vi.useRealTimers());

  test('by mouse lifts after some pixels, holds the screen, and drops where the gap is', () => {
    const { drag, fire, hold, release, onDrop, change } = start('mouse');
    fire('pointerdown', 50, 50);
    fire('pointermove', 52, 50);
    expect(drag.now).toBeNull();
    fire('pointermove', 60, 60);
    expect(drag.now).toMatchObject({ id: 'a', over: { status: 'todo', before: 'b' }, height: 100 });
    expect(hold).toHaveBeenCalledOnce();
    fire('pointermove', 400, 30);
    vi.advanceTimersByTime(20);
    expect(drag.over).toEqual({ status: 'done', before: 'c' });
    fire('pointerup', 400, 30);
    expect(onDrop).toHaveBeenCalledExactlyOnceWith('a', { status: 'done', before: 'c' });
    // The place is noted while the layout is held; the change is made once it is what it is by then.
    expect(release).toHaveBeenCalledOnce();
    expect(release).toHaveBeenCalledAfter(onDrop);
    expect(change).toHaveBeenCalledAfter(release);
    expect(drag.now).toBeNull();
  });

  test('back to where it came from changes nothing', () => {
    const { fire, onDrop, release } = start('mouse');
    fire('pointerdown', 50, 50);
    fire('pointermove', 60, 60);
    fire('pointerup', 60, 60);
    expect(onDrop).not.toHaveBeenCalled();
    expect(release).toHaveBeenCalledOnce();
  });

  test('ends with Escape, a lost pointer, or its board, without a drop', () => {
    for (const end of ['escape', 'cancel', 'destroy']) {
      const { board, drag, fire, onDrop, release, destroy } = start('mouse');
      fire('pointerdown', 50, 50);
      fire('pointermove', 400, 60);
      if (end === 'escape') dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }));
      if (end === 'cancel') fire('pointercancel', 0, 0);
      if (end === 'destroy') destroy();
      expect(drag.now, end).toBeNull();
      expect(release, end).toHaveBeenCalledOnce();
      fire('pointerup', 400, 60);
      expect(onDrop, end).not.toHaveBeenCalled();
      board.remove();
    }
  });

  test('by finger needs a rest; a finger that moves at once scrolls', () => {
    const resting = start('touch');
    resting.fire('pointerdown', 50, 50);
    vi.advanceTimersByTime(349);
    expect(resting.drag.now).toBeNull();
    vi.advanceTimersByTime(1);
    expect(resting.drag.id).toBe('a');
    resting.fire('pointercancel', 0, 0);
    resting.board.remove();

    const scrolling = start('touch');
    scrolling.fire('pointerdown', 50, 50);
    scrolling.fire('pointermove', 50, 70);
    vi.advanceTimersByTime(1_000);
    expect(scrolling.drag.now).toBeNull();
    expect(scrolling.hold).not.toHaveBeenCalled();
  });

  test('while a card is lifted the page does not scroll under the finger', () => {
    const { fire, board } = start('touch');
    fire('pointerdown', 50, 50);
    const move = () => board.dispatchEvent(new Event('touchmove', { cancelable: true }));
    expect(move()).toBe(true);
    vi.advanceTimersByTime(400);
    expect(move()).toBe(false);
  });

  test('is not for who may only read, nor on a button', () => {
    const { board, drag, fire, canDrag } = start('mouse');
    canDrag.mockReturnValue(false);
    fire('pointerdown', 50, 50);
    fire('pointermove', 90, 90);
    expect(drag.now).toBeNull();
    canDrag.mockReturnValue(true);
    const button = document.createElement('button');
    board.querySelector('[data-card=a]')?.append(button);
    fire('pointerdown', 50, 50, button);
    fire('pointermove', 90, 90);
    expect(drag.now).toBeNull();
  });
});
