import { afterEach, describe, expect, test } from 'vitest';
import { pageOf, parse, paths, router, safeNext, withTask } from '../src/lib/page/router.svelte';

describe('parse', () => {
  test.each([
    ['/', { page: 'home', open: null }],
    ['/projects', { page: 'projects' }],
    ['/search', { page: 'search', open: null }],
    ['/sign-in', { page: 'sign-in', next: '/' }],
    ['/sign-up/', { page: 'sign-up', next: '/' }],
    ['/profile', { page: 'profile' }],
    ['/reset', { page: 'reset' }],
    ['/unsubscribe', { page: 'unsubscribe' }],
    ['/invite/a%2Fb', { page: 'invitation', token: 'a/b' }],
    ['/p/x', { page: 'project', project: 'x', view: 'board', task: null }],
    ['/p/x/t/12', { page: 'project', project: 'x', view: 'board', task: 12 }],
    ['/p/x/list', { page: 'project', project: 'x', view: 'list', task: null }],
    ['/p/x/calendar/t/7', { page: 'project', project: 'x', view: 'calendar', task: 7 }],
    ['/p/x/archive', { page: 'archive', project: 'x' }],
    ['/p/x/trash', { page: 'trash', project: 'x' }],
    ['/p/x/settings', { page: 'project-settings', project: 'x' }],
    ['/t/web-12', { page: 'task-link', key: 'WEB', number: 12 }],
    ['/t/web', { page: 'not-found' }],
    ['/p/x/t/0', { page: 'not-found' }],
    ['/p/x/t/1e3', { page: 'not-found' }],
    ['/p/x/t/12/more', { page: 'not-found' }],
    ['/p/x/list/12', { page: 'not-found' }],
    ['/p/x/nothing', { page: 'not-found' }],
    ['/p', { page: 'not-found' }],
    ['/nowhere', { page: 'not-found' }],
    ['/p/%E0%A4%A', { page: 'project', project: '%E0%A4%A', view: 'board', task: null }],
  ])('%s', (path, route) => {
    expect(parse(path)).toEqual(route);
  });

  test('the task open over a page of many projects is in its query', () => {
    expect(parse('/', '?task=x.12')).toEqual({ page: 'home', open: { project: 'x', number: 12 } });
    expect(parse('/search', '?q=a&task=x.0')).toEqual({ page: 'search', open: null });
  });

  test('every path it makes it also reads', () => {
    expect(parse(paths.task('x', 7))).toEqual({ page: 'project', project: 'x', view: 'board', task: 7 });
    for (const view of ['board', 'list', 'calendar'] as const)
      expect(parse(paths.view('x', view))).toEqual({ page: 'project', project: 'x', view, task: null });
    const [path, search] = paths.signIn('/p/x').split('?');
    expect(parse(path ?? '', search)).toEqual({ page: 'sign-in', next: '/p/x' });
  });
});

describe('a task opens over the page that is shown', () => {
  const over = (at: string, task: { project: string; number: number } | null) => {
    const url = new URL(at, 'http://here');
    return withTask(parse(url.pathname, url.search), url.search, task);
  };
  const task = { project: 'x', number: 12 };

  test.each([
    ['/p/x', '/p/x/t/12'],
    ['/p/x/list?assignee=me', '/p/x/list/t/12?assignee=me'],
    ['/p/x/calendar/t/3', '/p/x/calendar/t/12'],
    ['/p/other', '/p/x/t/12'],
    ['/', '/?task=x.12'],
    ['/search?q=a+b', '/search?q=a+b&task=x.12'],
    ['/profile', '/p/x/t/12'],
  ])('%s → %s', (at, path) => {
    expect(over(at, task)).toBe(path);
  });

  test.each([
    ['/p/x/list/t/12?assignee=me', '/p/x/list?assignee=me'],
    ['/?task=x.12', '/'],
    ['/search?q=a&task=x.12', '/search?q=a'],
  ])('and closed again: %s → %s', (at, path) => {
    expect(over(at, null)).toBe(path);
  });

  test('a filter is no other page, another view is', () => {
    expect(pageOf(parse('/p/x/t/1'))).toBe(pageOf(parse('/p/x')));
    expect(pageOf(parse('/p/x/list'))).not.toBe(pageOf(parse('/p/x')));
    expect(pageOf(parse('/p/y'))).not.toBe(pageOf(parse('/p/x')));
  });
});

test.each(['https://evil.example', '//evil.example', '/\\evil.example', 'javascript:alert(1)', '', null])(
  'after signing in nobody is sent to %s',
  (next) => {
    expect(safeNext(next)).toBe('/');
  },
);

describe('links', () => {
  let stop = () => {};
  afterEach(() => {
    stop();
    document.body.replaceChildren();
    router.go('/');
  });

  function click(href: string, over: MouseEventInit = {}): MouseEvent {
    stop = router.start();
    const link = document.createElement('a');
    link.setAttribute('href', href);
    document.body.append(link);
    const event = new MouseEvent('click', { bubbles: true, cancelable: true, ...over });
    link.dispatchEvent(event);
    return event;
  }

  test('to our own pages change the page without loading it', () => {
    expect(click(`${location.origin}/p/x`).defaultPrevented).toBe(true);
    expect(router.route).toEqual({ page: 'project', project: 'x', view: 'board', task: null });
    expect(location.pathname).toBe('/p/x');
  });

  test.each<[string, string, MouseEventInit]>([
    ['into a new tab', '/p/x', { ctrlKey: true }],
    ['to another site', 'https://example.org/p/x', {}],
    ['to a file of the server', '/static/js/websocket.js', {}],
  ])('%s are the browser’s', (_name, href, over) => {
    const url = href.startsWith('/') ? location.origin + href : href;
    expect(click(url, over).defaultPrevented).toBe(false);
    expect(router.route).toEqual({ page: 'home', open: null });
  });
});
