import { describe, expect, test, vi } from 'vitest';
import type { Action } from '../src/lib/actions/action';
import { Sequence } from '../src/lib/shortcuts/sequence.svelte';
import { isCharacter } from '../src/lib/shortcuts/settings.svelte';
import { ariaKeys, type Press, shownKeys, strokesOf } from '../src/lib/shortcuts/strokes';
import { isPressable, isTaken, isTyping } from '../src/lib/shortcuts/typing';

const press = (key: string, code: string, over: Partial<Press> = {}): Press => ({
  key,
  code,
  shiftKey: false,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  isComposing: false,
  ...over,
});
const shift = { shiftKey: true };
const ctrl = { ctrlKey: true };

describe('a press', () => {
  test.each([
    ['C', press('c', 'KeyC')],
    ['C', press('с', 'KeyC')],
    ['C', press('C', 'KeyC')],
    ['C', press('С', 'KeyC')],
    ['Shift+X', press('X', 'KeyX', shift)],
    ['Shift+X', press('Ч', 'KeyX', shift)],
    ['Mod+K', press('k', 'KeyK', ctrl)],
    ['Mod+K', press('л', 'KeyK', ctrl)],
    ['Mod+Shift+Z', press('Я', 'KeyZ', { ...ctrl, ...shift })],
    ['Z', press('z', 'KeyY')],
    ['A', press('a', 'KeyQ')],
    ['Shift+ArrowUp', press('ArrowUp', 'ArrowUp', shift)],
    ['Space', press(' ', 'Space')],
    ['<', press('<', 'Comma', shift)],
    ['<', press('Б', 'Comma', shift)],
    ['>', press('Ю', 'Period', shift)],
    ['>', press('>', 'IntlBackslash', shift)],
    ['?', press('?', 'Slash', shift)],
    ['?', press('?', 'Digit7', shift)],
    ['?', press(',', 'Slash', shift)],
    ['/', press('/', 'Slash')],
    ['/', press('.', 'Slash')],
    ['1', press('1', 'Digit1')],
  ])('is %s', (stroke, event) => {
    expect(strokesOf(event, false)).toEqual([stroke]);
  });

  test.each([
    ['a sign that is not ours', press(';', 'Comma', shift)],
    ['a modifier alone', press('Shift', 'ShiftLeft', shift)],
    ['Alt and a letter', press('c', 'KeyC', { altKey: true })],
    ['the Windows key', press('k', 'KeyK', { metaKey: true })],
    ['a word being composed', press('c', 'KeyC', { isComposing: true })],
    ['an input method', press('Process', 'KeyC')],
  ])('is nothing: %s', (_name, event) => {
    expect(strokesOf(event, false)).toEqual([]);
  });

  test('of ⌘ on a Mac is what Ctrl is elsewhere', () => {
    expect(strokesOf(press('k', 'KeyK', { metaKey: true }), true)).toEqual(['Mod+K']);
    expect(strokesOf(press('k', 'KeyK', ctrl), true)).toEqual([]);
  });
});

test.each([
  ['Mod+K', 'Ctrl+K', '⌘K'],
  ['Mod+Shift+Z', 'Ctrl+Shift+Z', '⌘⇧Z'],
  ['Shift+ArrowUp', 'Shift+↑', '⇧↑'],
  ['G B', 'G B', 'G B'],
  ['Escape', 'Esc', 'Esc'],
])('%s is shown as %s, on a Mac as %s', (keys, elsewhere, mac) => {
  expect(shownKeys(keys, false)).toBe(elsewhere);
  expect(shownKeys(keys, true)).toBe(mac);
});

test('a screen reader is told single strokes', () => {
  expect(ariaKeys(['Mod+K', 'G B'], false)).toBe('Control+K');
  expect(ariaKeys(['G B'], false)).toBeUndefined();
});

test.each([
  ['C', true],
  ['Shift+X', true],
  ['G B', true],
  ['?', true],
  ['<', true],
  ['Mod+K', false],
  ['Enter', false],
  ['Shift+ArrowUp', false],
  ['Space', false],
])('whether %s is a character alone: %s', (keys, is) => {
  expect(isCharacter(keys)).toBe(is);
});

describe('a sequence', () => {
  const action = (...keys: string[]): Action => ({
    id: keys[0] ?? '',
    title: 'card.open',
    group: 'go',
    keys,
    run() {},
  });
  const go = action('G B');
  const board = action('B');
  const actions = [go, board, action('C')];

  test('waits for its second key, and then does not mean what that key means alone', () => {
    const sequence = new Sequence();
    expect(sequence.press(['G'], actions)).toBe('waiting');
    expect(sequence.waiting).toBe('G');
    expect(sequence.press(['B'], actions)).toEqual({ action: go });
    expect(sequence.waiting).toBeNull();
    expect(sequence.press(['B'], actions)).toEqual({ action: board });
  });

  test('is left by any other key, which means what it means', () => {
    const sequence = new Sequence();
    sequence.press(['G'], actions);
    expect(sequence.press(['C'], actions)).toEqual({ action: actions[2] });
    expect(sequence.press(['Y'], actions)).toBeNull();
  });

  test('is forgotten after a moment', () => {
    vi.useFakeTimers();
    const sequence = new Sequence();
    sequence.press(['G'], actions);
    vi.advanceTimersByTime(1_600);
    expect(sequence.waiting).toBeNull();
    expect(sequence.press(['B'], actions)).toEqual({ action: board });
    vi.useRealTimers();
  });
});

describe('keys belong to somebody else', () => {
  const within = (html: string, selector: string) => {
    document.body.innerHTML = html;
    return document.querySelector(selector);
  };

  test.each(['<input>', '<input type="search">', '<textarea></textarea>', '<select></select>'])('in %s', (html) => {
    expect(isTyping(within(html, 'input, textarea, select'))).toBe(true);
  });

  test('in what is editable', () => {
    expect(isTyping(within('<div contenteditable="true"><b>x</b></div>', 'b'))).toBe(true);
  });

  test('not in a checkbox, a button or the page', () => {
    expect(isTyping(within('<input type="checkbox">', 'input'))).toBe(false);
    expect(isTyping(within('<button>x</button>', 'button'))).toBe(false);
    expect(isTyping(document.body)).toBe(false);
  });

  test('in a menu, and everywhere under an open dialog', () => {
    expect(isTaken(within('<div role="menu"><button>x</button></div>', 'button'))).toBe(true);
    within('<dialog open></dialog><button>x</button>', 'button');
    expect(isTaken(document.body)).toBe(true);
    document.body.innerHTML = '';
    expect(isTaken(document.body)).toBe(false);
  });

  test('Enter and Space press buttons and links, but cards have keys of their own', () => {
    expect(isPressable(within('<button>x</button>', 'button'))).toBe(true);
    expect(isPressable(within('<a href="/">x</a>', 'a'))).toBe(true);
    expect(isPressable(within('<li data-card="1"><a href="/">x</a></li>', 'a'))).toBe(false);
    expect(isPressable(within('<li data-card="1"><button>x</button></li>', 'button'))).toBe(true);
    document.body.innerHTML = '';
  });
});
