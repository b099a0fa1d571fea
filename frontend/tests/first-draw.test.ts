import { render, screen } from '@testing-library/svelte';
import { createRawSnippet } from 'svelte';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import App from '../src/App.svelte';
import WithPanel from '../src/components/shell/WithPanel.svelte';
import { inboxOf } from '../src/lib/inbox/current.svelte';
import { FirstDraw, firstDraw } from '../src/lib/page/first-draw.svelte';
import { router } from '../src/lib/page/router.svelte';
import { session } from '../src/lib/server/session.svelte';
import type { User } from '../src/lib/types';

const words = (text: string) => createRawSnippet(() => ({ render: () => `<span>${text}</span>` }));
const given = { panel: words('task'), children: words('board') };
const board = () => screen.queryByText('board');

// Before the others, after which everything has been drawn.
test('the inbox is what somebody came for where it was opened', async () => {
  vi.stubGlobal('requestIdleCallback', () => {});
  vi.stubGlobal('fetch', () => new Promise(() => {}));
  vi.stubGlobal('WebSocket', EventTarget);
  session.user = { id: 'anna', name: 'Анна', avatar_color: '#1565c0' } as User;
  session.phase = 'in';
  router.go('/inbox');
  render(App);
  await vi.waitFor(() => expect(inboxOf.current).not.toBeNull());
  vi.unstubAllGlobals();
});

describe('on a phone', () => {
  beforeEach(() => {
    vi.stubGlobal('matchMedia', () => Object.assign(new EventTarget(), { matches: true }));
  });
  afterEach(() => vi.unstubAllGlobals());

  test('a page that a task covers is there as soon as the task is closed', async () => {
    const { rerender } = render(WithPanel, { ...given, open: true });
    expect(screen.getByText('task')).toBeTruthy();
    expect(board()).toBeNull();
    await rerender({ open: false });
    expect(board()).toBeTruthy();
  });

  test('a page that was seen stays where it is under the task', async () => {
    const { rerender } = render(WithPanel, { ...given, open: false });
    await rerender({ open: true });
    expect(board()).toBeTruthy();
  });

  test('a page that a task covers is drawn after the task', async () => {
    render(WithPanel, { ...given, open: true });
    firstDraw.drawn();
    expect(await screen.findByText('board')).toBeTruthy();
  });
});

test('where nothing says that it is there, the rest comes all the same', () => {
  vi.useFakeTimers();
  const first = new FirstDraw();
  first.start();
  vi.advanceTimersByTime(2_999);
  expect(first.done).toBe(false);
  vi.advanceTimersByTime(1);
  expect(first.done).toBe(true);
  vi.useRealTimers();
});
