/** Which page is shown: a pure reading of the path, and the history it is kept in. */
import { PageMemory } from './page-memory';

export type ProjectView = 'board' | 'list' | 'calendar';
/** A task that is open over a page of many projects. */
export interface OpenTask {
  project: string;
  number: number;
}
/** Pages that mails lead to, and the one that asks for such a mail. What is secret in their address is behind the `#`. */
export type MailPage = 'forgot' | 'reset' | 'unsubscribe';
export type Route =
  | { page: 'home'; open: OpenTask | null }
  | { page: 'search'; open: OpenTask | null }
  | { page: 'inbox'; open: OpenTask | null }
  | { page: 'projects' | 'profile' | 'admin' | 'diagnostics' | 'gallery' }
  | { page: 'sign-in'; next: string }
  | { page: 'sign-up'; next: string }
  | { page: MailPage }
  | { page: 'invitation'; token: string }
  | { page: 'project'; project: string; view: ProjectView; task: number | null }
  | { page: 'archive' | 'trash' | 'project-settings'; project: string }
  | { page: 'task-link'; key: string; number: number }
  | { page: 'not-found' };

/** Parameter of a page of many projects that names the task open over it: `<project id>.<number>`. */
const OPEN = 'task';
const NUMBER = /^[1-9]\d{0,8}$/;

/** A path inside this page, or the front door: a link must not send anybody to a foreign site. */
export function safeNext(value: string | null): string {
  return value && /^\/(?![/\\])/.test(value) ? value : '/';
}

export function parse(path: string, search = ''): Route {
  const parts = path.split('/').filter(Boolean).map(decode);
  const [first, second, ...rest] = parts;
  const query = new URLSearchParams(search);
  if (first === undefined) return { page: 'home', open: openIn(query) };
  if (second === undefined) return single(first, query);
  if (first === 'invite' && rest.length === 0) return { page: 'invitation', token: second };
  if (first === 't' && rest.length === 0) return taskLink(second);
  return first === 'p' ? inProject(second, rest) : { page: 'not-found' };
}

function single(name: string, query: URLSearchParams): Route {
  const next = safeNext(query.get('next'));
  switch (name) {
    case 'sign-in':
    case 'sign-up':
      return { page: name, next };
    case 'search':
    case 'inbox':
      return { page: name, open: openIn(query) };
    case 'projects':
    case 'profile':
    case 'admin':
    case 'diagnostics':
    case 'gallery':
    case 'forgot':
    case 'reset':
    case 'unsubscribe':
      return { page: name };
    default:
      return { page: 'not-found' };
  }
}

function inProject(project: string, rest: string[]): Route {
  const [name] = rest;
  if (rest.length === 1) {
    if (name === 'archive' || name === 'trash') return { page: name, project };
    if (name === 'settings') return { page: 'project-settings', project };
  }
  const view = name === 'list' || name === 'calendar' ? name : 'board';
  const [mark, number, ...more] = view === 'board' ? rest : rest.slice(1);
  if (mark === undefined) return { page: 'project', project, view, task: null };
  if (mark !== 't' || more.length > 0 || !NUMBER.test(number ?? '')) return { page: 'not-found' };
  return { page: 'project', project, view, task: Number(number) };
}

function taskLink(name: string): Route {
  const [, key, number] = /^([\p{L}\p{N}]+)-([1-9]\d{0,8})$/u.exec(name) ?? [];
  return key ? { page: 'task-link', key: key.toUpperCase(), number: Number(number) } : { page: 'not-found' };
}

function openIn(query: URLSearchParams): OpenTask | null {
  const [project, number, ...more] = (query.get(OPEN) ?? '').split('.');
  return project && number && NUMBER.test(number) && more.length === 0 ? { project, number: Number(number) } : null;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const paths = {
  home: '/',
  projects: '/projects',
  search: '/search',
  inbox: '/inbox',
  profile: '/profile',
  admin: '/admin',
  diagnostics: '/diagnostics',
  gallery: '/gallery',
  forgot: '/forgot',
  board: (project: string) => `/p/${project}`,
  view: (project: string, view: ProjectView) => (view === 'board' ? `/p/${project}` : `/p/${project}/${view}`),
  task: (project: string, number: number) => `/p/${project}/t/${number}`,
  archive: (project: string) => `/p/${project}/archive`,
  trash: (project: string) => `/p/${project}/trash`,
  settings: (project: string) => `/p/${project}/settings`,
  signIn: (next = '/') => (next === '/' ? '/sign-in' : `/sign-in?next=${encodeURIComponent(next)}`),
  signUp: (next = '/') => (next === '/' ? '/sign-up' : `/sign-up?next=${encodeURIComponent(next)}`),
};

/** The address of the page `route` with that task open over it, or with none; filters and the like stay. */
export function withTask(route: Route, search: string, task: OpenTask | null): string {
  if (route.page === 'home' || route.page === 'search' || route.page === 'inbox') {
    const query = new URLSearchParams(search);
    if (task) query.set(OPEN, `${task.project}.${task.number}`);
    else query.delete(OPEN);
    return paths[route.page] + (query.size > 0 ? `?${query}` : '');
  }
  if (route.page === 'project' && (!task || task.project === route.project)) {
    return paths.view(route.project, route.view) + (task ? `/t/${task.number}` : '') + search;
  }
  return task ? paths.task(task.project, task.number) : paths.home;
}

/** What stays the same page however much is opened or filtered on it. */
export function pageOf(route: Route): string {
  const project = 'project' in route ? route.project : '';
  return [route.page, project, route.page === 'project' ? route.view : ''].join(' ');
}

class Router {
  route = $state.raw<Route>(parse(location.pathname, location.search));
  /** The query of the address, `?` included; filters live in it. */
  search = $state(location.search);
  readonly query = $derived(new URLSearchParams(this.search));

  readonly #memory = new PageMemory();

  /** Follows the browser's history and every plain click on a link to a page of ours. Returns what undoes it. */
  start(): () => void {
    const back = () => {
      this.#memory.leave();
      const page = pageOf(this.route);
      this.#read();
      this.#memory.back(page === pageOf(this.route));
    };
    const click = (event: MouseEvent) => this.#follow(event);
    const stop = this.#memory.start();
    addEventListener('popstate', back);
    document.addEventListener('click', click);
    return () => {
      stop();
      removeEventListener('popstate', back);
      document.removeEventListener('click', click);
    };
  }

  go(path: string, { replace = false } = {}): void {
    const page = pageOf(this.route);
    if (path !== location.pathname + location.search) {
      if (replace) this.#memory.replace(path);
      else this.#memory.push(path);
    }
    this.#read();
    if (page !== pageOf(this.route)) this.#memory.arrive();
  }

  /** The address that opens this task over the page shown now. */
  taskPath(task: OpenTask): string {
    return withTask(this.route, this.search, task);
  }

  /** Back to the page the task was opened from, by the browser's history where that is the step before. */
  closeTask(): void {
    const path = withTask(this.route, this.search, null);
    if (this.#memory.cameFrom(path)) history.back();
    else this.go(path);
  }

  /** Changes parameters of the address in place; an empty value takes one out. */
  setQuery(values: Record<string, string>): void {
    const query = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(values)) {
      if (value) query.set(name, value);
      else query.delete(name);
    }
    this.go(location.pathname + (query.size > 0 ? `?${query}` : ''), { replace: true });
  }

  #read(): void {
    const { pathname, search } = location;
    if (search !== this.search) this.search = search;
    this.route = parse(pathname, search);
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
