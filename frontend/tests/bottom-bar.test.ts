import { expect, test, vi } from 'vitest';
import { projects } from '../src/lib/lists/projects.svelte';
import { bottomBar } from '../src/lib/page/bottom-bar.svelte';
import { router } from '../src/lib/page/router.svelte';
import type { ProjectWithRole } from '../src/lib/types';

const mine = (...ids: string[]) =>
  vi
    .spyOn(projects, 'list', 'get')
    .mockReturnValue(ids.map((id) => ({ id, role: id === 'read' ? 'viewer' : 'editor' }) as ProjectWithRole));

test('leads to the board one was at last, and to the first where that one is closed', () => {
  router.go('/');
  mine();
  expect(bottomBar.board).toBeNull();
  expect(bottomBar.canWrite).toBe(false);
  mine('first', 'second');
  expect(bottomBar.board).toBe('first');
  const leave = bottomBar.onBoard('second', null);
  leave();
  expect(bottomBar.board).toBe('second');
  mine('first');
  expect(bottomBar.board).toBe('first');
  expect(bottomBar.canWrite).toBe(true);
  const write = vi.fn();
  bottomBar.write();
  expect(router.route).toMatchObject({ page: 'project' });
  bottomBar.onBoard('first', write)();
  expect(write).toHaveBeenCalledOnce();
});

test('on a public board of others it is that board’s, and writes nowhere', () => {
  mine('first');
  router.go('/p/public/list');
  bottomBar.onBoard('public', null)();
  expect(bottomBar.board).toBe('public');
  expect(bottomBar.canWrite).toBe(false);
  router.go('/inbox');
  expect(bottomBar.board).toBe('first');
  expect(bottomBar.canWrite).toBe(true);
});

test('leads first to a board one may write on', () => {
  router.go('/');
  mine('read', 'first');
  expect(bottomBar.board).toBe('first');
  mine('read');
  expect(bottomBar.board).toBe('read');
  expect(bottomBar.canWrite).toBe(false);
});
