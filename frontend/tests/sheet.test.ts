import { fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import MenuButton from '../src/components/ui/MenuButton.svelte';

/** The way back of a device, which this browser has not. */
class Watcher extends EventTarget {
  static open: Watcher[] = [];
  constructor() {
    super();
    Watcher.open.push(this);
  }
  destroy() {
    Watcher.open = Watcher.open.filter((other) => other !== this);
  }
}

const run = vi.fn();
const below = vi.fn();

async function openMenu(narrow: boolean) {
  vi.stubGlobal('matchMedia', () => ({ matches: narrow }));
  vi.stubGlobal('CloseWatcher', Watcher);
  document.body.addEventListener('click', below);
  render(MenuButton, { label: 'More', items: [{ label: 'Rename', run }] });
  await fireEvent.click(screen.getByRole('button', { name: 'More' }));
  below.mockClear();
}

const isClosed = () => screen.queryByRole('menu') === null;
const hasFocus = () => document.activeElement === screen.getByRole('button', { name: 'More' });

beforeEach(() => vi.clearAllMocks());
afterEach(() => {
  document.body.removeEventListener('click', below);
  vi.unstubAllGlobals();
});

describe('a menu on a phone', () => {
  beforeEach(() => openMenu(true));

  test('goes with a tap beside it, which opens nothing below and gives the focus back', async () => {
    const shade = document.querySelector('.shade') as Element;
    await fireEvent.pointerDown(shade);
    expect(isClosed()).toBe(false);
    await fireEvent.click(shade);
    expect(isClosed()).toBe(true);
    expect(document.querySelector('.shade')).toBeNull();
    expect(below).not.toHaveBeenCalled();
    expect(hasFocus()).toBe(true);
  });

  test('goes with the way back of the device', async () => {
    Watcher.open[0]?.dispatchEvent(new Event('close'));
    await vi.waitFor(() => expect(isClosed()).toBe(true));
    expect(hasFocus()).toBe(true);
    expect(Watcher.open).toEqual([]);
  });

  test('goes with Escape, and with what was chosen', async () => {
    await fireEvent.keyDown(screen.getByRole('menuitem', { name: 'Rename' }), { key: 'Escape' });
    expect(isClosed() && hasFocus()).toBe(true);
    await fireEvent.click(screen.getByRole('button', { name: 'More' }));
    await fireEvent.click(screen.getByRole('menuitem', { name: 'Rename' }));
    expect(isClosed() && hasFocus()).toBe(true);
    expect(run).toHaveBeenCalledOnce();
  });

  test('stays when the keyboard of the phone goes away', async () => {
    dispatchEvent(new Event('resize'));
    await Promise.resolve();
    expect(isClosed()).toBe(false);
  });
});

test('a menu on a desk has no shade, and goes with a press elsewhere', async () => {
  await openMenu(false);
  expect(document.querySelector('.shade')).toBeNull();
  await fireEvent.pointerDown(document.body);
  expect(isClosed()).toBe(true);
});
