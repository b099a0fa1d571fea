/** What the server finds beyond the open board, a moment after the last key. */
import type { Endpoints } from '../server/endpoints';
import type { SearchHit } from '../types';
import { otherLayout } from '../words/fold';

const PAUSE_MS = 200;
/** Fewer letters fit everything. */
const LEAST = 2;

export class Elsewhere {
  hits = $state.raw<readonly SearchHit[]>([]);
  readonly #rest: Endpoints;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #query = '';

  constructor(rest: Endpoints) {
    this.#rest = rest;
  }

  ask(query: string): void {
    clearTimeout(this.#timer);
    this.#query = query.trim();
    if (this.#query.length < LEAST) this.hits = [];
    else this.#timer = setTimeout(() => void this.#fetch(this.#query), PAUSE_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#query = '';
  }

  /** With nothing found, once more as if the other layout had been on. Without an answer the board's own tasks do. */
  async #fetch(query: string): Promise<void> {
    try {
      const { items } = await this.#rest.search(query, null, null);
      const hits = items.length > 0 ? items : (await this.#rest.search(otherLayout(query), null, null)).items;
      if (query === this.#query) this.hits = hits;
    } catch {
      if (query === this.#query) this.hits = [];
    }
  }
}
