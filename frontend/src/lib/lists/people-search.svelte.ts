/** The accounts of a server, as many as were asked for, by what was typed last. */
import type { AdminUser, Page } from '../types';

/** A pause in typing this long is a question. */
const PAUSE_MS = 200;

export class PeopleSearch {
  query = $state('');
  people = $state.raw<AdminUser[] | null>(null);
  more = $state(false);
  busy = $state(false);
  error = $state.raw<unknown>(null);

  readonly #fetch: (q: string, cursor: string | null) => Promise<Page<AdminUser>>;
  #cursor: string | null = null;
  #asked = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(fetch: (q: string, cursor: string | null) => Promise<Page<AdminUser>>) {
    this.#fetch = fetch;
  }

  type(text: string): void {
    this.query = text;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.search(), PAUSE_MS);
  }

  /** From the beginning. */
  search(): Promise<void> {
    this.#cursor = null;
    return this.#ask([]);
  }

  next(): Promise<void> {
    return this.#ask(this.people ?? []);
  }

  put(changed: AdminUser): void {
    this.people = this.people?.map((one) => (one.id === changed.id ? changed : one)) ?? null;
  }

  async #ask(before: AdminUser[]): Promise<void> {
    const asked = ++this.#asked;
    this.busy = true;
    this.error = null;
    try {
      const page = await this.#fetch(this.query.trim(), this.#cursor);
      // An answer to a question that has changed meanwhile is nobody's.
      if (asked !== this.#asked) return;
      this.people = [...before, ...page.items];
      this.#cursor = page.next_cursor;
      this.more = page.next_cursor !== null;
    } catch (failure) {
      if (asked === this.#asked) this.error = failure;
    } finally {
      if (asked === this.#asked) this.busy = false;
    }
  }
}
