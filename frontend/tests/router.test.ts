import { afterEach, describe, expect, test } from 'vitest';
import { parse, paths, router, safeNext } from '../src/lib/router.svelte';

describe('parse', () => {
  test.each([
    ['/', { page: 'projects' }],
    ['/sign-in', { page: 'sign-in', next: '/' }],
    ['/sign-up/', { page: 'sign-up', next: '/' }],
    ['/profile', { page: 'profile' }],
    ['/invite/a%2Fb', { page: 'invitation', token: 'a/b' }],
    ['/p/x', { page: 'board', project: 'x', task: null }],
    ['/p/x/t/12', { page: 'board', project: 'x', task: 12 }],
    ['/p/x/trash', { page: 'trash', project: 'x' }],
    ['/p/x/t/0', { page: 'not-found' }],
    ['/p/x/t/1e3', { page: 'not-found' }],
    ['/p/x/t/12/more', { page: 'not-found' }],
    ['/p', { page: 'not-found' }],
    ['/nowhere', { page: 'not-found' }],
    ['/p/%E0%A4%A', { page: 'board', project: '%E0%A4%A', task: null }],
  ])('%s', (path, route) => {
    expect(parse(path)).toEqual(route);
  });

  test('every path it makes it also reads', () => {
    expect(parse(paths.board('x'))).toEqual({ page: 'board', project: 'x', task: null });
    expect(parse(paths.task('x', 7))).toEqual({ page: 'board', project: 'x', task: 7 });
    expect(parse(paths.trash('x'))).toEqual({ page: 'trash', project: 'x' });
    const [path, search] = paths.signIn('/p/x').split('?');
    expect(parse(path ?? '', search)).toEqual({ page: 'sign-in', next: '/p/x' });
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
    expect(router.route).toEqual({ page: 'board', project: 'x', task: null });
    expect(location.pathname).toBe('/p/x');
  });

  test.each<[string, string, MouseEventInit]>([
    ['into a new tab', '/p/x', { ctrlKey: true }],
    ['to another site', 'https://example.org/p/x', {}],
    ['to a file of the server', '/static/js/websocket.js', {}],
  ])('%s are the browser’s', (_name, href, over) => {
    const url = href.startsWith('/') ? location.origin + href : href;
    expect(click(url, over).defaultPrevented).toBe(false);
    expect(router.route).toEqual({ page: 'projects' });
  });
});
