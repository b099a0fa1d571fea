/**
 * Where somebody was on each page of the browser's history: how far things were scrolled, and which link had the
 * focus. The way back gives both back; a page reached anew begins at its heading.
 *
 * What scrolls and is to be remembered carries `data-scroll` with a name; the window itself always is.
 */
interface Entry {
  id: string;
  /** Address of the page this one was opened from. */
  from: string | null;
}
interface Place {
  scrolls: Map<string, [left: number, top: number]>;
  link: string | null;
}

/** How long a page may take to be as tall again as it was. */
const PATIENCE_MS = 3_000;
/** What a person does to say that they are somewhere else already. */
const OWN_MOVES = ['wheel', 'touchstart', 'pointerdown', 'keydown'] as const;

const address = () => location.pathname + location.search;

export class PageMemory {
  readonly #places = new Map<string, Place>();
  #entry: Entry = { id: '', from: null };
  #stopSettling = () => {};

  /** Begins to remember. Returns what ends it. */
  start(): () => void {
    history.scrollRestoration = 'manual';
    this.#entry = history.state?.id ? (history.state as Entry) : this.#name(null);
    history.replaceState(this.#entry, '');
    return () => this.#stopSettling();
  }

  push(path: string): void {
    this.leave();
    this.#entry = this.#name(address());
    history.pushState(this.#entry, '', path);
  }

  replace(path: string): void {
    history.replaceState(this.#entry, '', path);
  }

  /** Whether the step before in the history is that address. */
  cameFrom(path: string): boolean {
    return this.#entry.from === path;
  }

  /** Notes where the page of the present entry stands; it is still on the screen. */
  leave(): void {
    const scrolls = new Map<string, [number, number]>([['', [scrollX, scrollY]]]);
    for (const element of document.querySelectorAll<HTMLElement>('[data-scroll]'))
      scrolls.set(element.dataset.scroll ?? '', [element.scrollLeft, element.scrollTop]);
    const link = document.activeElement?.closest('a')?.getAttribute('href') ?? null;
    this.#places.set(this.#entry.id, { scrolls, link });
  }

  /** A page reached anew: from its top, the focus on its heading. */
  arrive(): void {
    scrollTo(0, 0);
    this.#settle(() => focusHeading());
  }

  /** The page the history has gone back (or forward) to; `same` where only something open on it is another. */
  back(same: boolean): void {
    this.#entry = history.state?.id ? (history.state as Entry) : this.#name(null);
    const place = this.#places.get(this.#entry.id);
    if (!place) {
      if (!same) this.arrive();
      return;
    }
    const waiting = new Map(place.scrolls);
    let focused = same;
    this.#settle(() => {
      for (const [name, at] of waiting) if (scrolled(name, at)) waiting.delete(name);
      focused ||= focusLink(place.link);
      return waiting.size === 0 && focused;
    });
  }

  #name(from: string | null): Entry {
    return { id: Math.random().toString(36).slice(2), from };
  }

  /** Tries once a frame until `done`, the person moves themselves, or it has taken too long. */
  #settle(done: () => boolean): void {
    this.#stopSettling();
    const until = performance.now() + PATIENCE_MS;
    let frame = 0;
    const stop = () => {
      cancelAnimationFrame(frame);
      for (const name of OWN_MOVES) removeEventListener(name, stop, true);
    };
    const attempt = () => {
      if (done() || performance.now() > until) stop();
      else frame = requestAnimationFrame(attempt);
    };
    for (const name of OWN_MOVES) addEventListener(name, stop, true);
    this.#stopSettling = stop;
    frame = requestAnimationFrame(attempt);
  }
}

/** Scrolls to the place where that is possible by now. One that has moved from its start is left alone. */
function scrolled(name: string, [left, top]: [number, number]): boolean {
  const element =
    name === '' ? document.scrollingElement : document.querySelector(`[data-scroll="${CSS.escape(name)}"]`);
  if (!element) return left === 0 && top === 0;
  if (element.scrollLeft > 0 || element.scrollTop > 0) return true;
  if (element.scrollHeight - element.clientHeight < top || element.scrollWidth - element.clientWidth < left)
    return false;
  element.scrollTo(left, top);
  return true;
}

const nobodyHasFocus = () => document.activeElement === document.body || document.activeElement === null;

function focusLink(href: string | null): boolean {
  if (href === null) return focusHeading();
  const link = document.querySelector<HTMLElement>(`main a[href="${CSS.escape(href)}"]`);
  link?.focus({ preventScroll: true });
  return link !== null;
}

/** The heading says where one is now. A field that took the focus by itself keeps it. */
function focusHeading(): boolean {
  const heading = document.querySelector<HTMLElement>('h1');
  if (!heading) return false;
  const active = document.activeElement;
  if (!nobodyHasFocus() && active?.matches('input, textarea, dialog *, [role=dialog], [role=dialog] *')) return true;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
  return true;
}
