/** Which page is shown: a pure reading of the path, and the history it is kept in. */

export type Route =
  | { page: 'projects' }
  | { page: 'sign-in'; next: string }
  | { page: 'sign-up'; next: string }
  | { page: 'invitation'; token: string }
  | { page: 'profile' }
  | { page: 'board'; project: string; task: number | null }
  | { page: 'trash'; project: string }
  | { page: 'not-found' };

/** A path inside this page, or the front door: a link must not send anybody to a foreign site. */
export function safeNext(value: string | null): string {
  return value && /^\/(?![/\\])/.test(value) ? value : '/';
}

export function parse(path: string, search = ''): Route {
  const parts = path.split('/').filter(Boolean).map(decode);
  const [first, second, third, fourth] = parts;
  const next = safeNext(new URLSearchParams(search).get('next'));
  if (first === undefined) return { page: 'projects' };
  if (parts.length === 1 && first === 'sign-in') return { page: 'sign-in', next };
  if (parts.length === 1 && first === 'sign-up') return { page: 'sign-up', next };
  if (parts.length === 1 && first === 'profile') return { page: 'profile' };
  if (parts.length === 2 && first === 'invite' && second) return { page: 'invitation', token: second };
  if (first === 'p' && second) {
    if (parts.length === 2) return { page: 'board', project: second, task: null };
    if (parts.length === 3 && third === 'trash') return { page: 'trash', project: second };
    if (parts.length === 4 && third === 't' && /^[1-9]\d{0,8}$/.test(fourth ?? '')) {
      return { page: 'board', project: second, task: Number(fourth) };
    }
  }
  return { page: 'not-found' };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const paths = {
  projects: '/',
  profile: '/profile',
  board: (project: string) => `/p/${project}`,
  task: (project: string, number: number) => `/p/${project}/t/${number}`,
  trash: (project: string) => `/p/${project}/trash`,
  settings: (project: string) => `/p/${project}/settings`,
  signIn: (next = '/') => (next === '/' ? '/sign-in' : `/sign-in?next=${encodeURIComponent(next)}`),
  signUp: (next = '/') => (next === '/' ? '/sign-up' : `/sign-up?next=${encodeURIComponent(next)}`),
};

class Router {
  route = $state.raw<Route>(parse(location.pathname, location.search));

  /** Follows the browser's history and every plain click on a link to a page of ours. Returns what undoes it. */
  start(): () => void {
    const read = () => {
      this.route = parse(location.pathname, location.search);
    };
    const click = (event: MouseEvent) => this.#follow(event);
    addEventListener('popstate', read);
    document.addEventListener('click', click);
    return () => {
      removeEventListener('popstate', read);
      document.removeEventListener('click', click);
    };
  }

  go(path: string, { replace = false } = {}): void {
    if (path !== location.pathname + location.search) {
      if (replace) history.replaceState(null, '', path);
      else history.pushState(null, '', path);
    }
    this.route = parse(location.pathname, location.search);
  }

  #follow(event: MouseEvent): void {
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    const link = (event.target as Element | null)?.closest?.('a');
    if (!link?.href || link.target || link.hasAttribute('download')) return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || url.hash || /^\/(api|static|assets)\//.test(url.pathname)) return;
    event.preventDefault();
    this.go(url.pathname + url.search);
  }
}

export const router = new Router();
