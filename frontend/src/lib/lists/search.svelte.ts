/**
 * Results while somebody types: asked for when the typing pauses, and an answer that comes after a newer question is
 * dropped. What was found before stays on the screen until the next answer.
 */
import type { Endpoints } from '../server/endpoints';
import type { Id, SearchHit } from '../types';

/** A pause in the typing this long is a question. */
const PAUSE_MS = 180;
/** Longer ones are cut: the server takes no more. */
export const QUERY_LENGTH = 200;

export class Search {
  hits = $state.raw<SearchHit[] | null>(null);
  /** The words the hits are for. */
  words = $state('');
  more = $state.raw<string | null>(null);
  error = $state.raw<unknown>(null);
  busy = $state(false);

  readonly #rest: Pick<Endpoints, 'search'>;
  readonly #pause: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #question = 0;

  constructor(rest: Pick<Endpoints, 'search'>, pause = PAUSE_MS) {
    this.#rest = rest;
    this.#pause = pause;
  }

  /** Asks when nothing else is asked for a moment; at once with `now`. */
  ask(words: string, project: Id | null, { now = false } = {}): void {
    clearTimeout(this.#timer);
    const question = ++this.#question;
    const wanted = words.trim().slice(0, QUERY_LENGTH);
    if (!wanted) {
      this.hits = null;
      this.words = '';
      this.more = null;
      this.error = null;
      this.busy = false;
      return;
    }
    this.busy = true;
    const run = () => void this.#answer(question, wanted, project, null);
    if (now) run();
    else this.#timer = setTimeout(run, this.#pause);
  }

  /** The next page, after those that are shown. */
  async next(project: Id | null): Promise<void> {
    if (this.more === null) return;
    this.busy = true;
    await this.#answer(this.#question, this.words, project, this.more);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#question++;
  }

  async #answer(question: number, words: string, project: Id | null, cursor: string | null): Promise<void> {
    try {
      const page = await this.#rest.search(words, project, cursor);
      if (question !== this.#question) return;
      this.hits = cursor === null ? page.items : [...(this.hits ?? []), ...page.items];
      this.more = page.next_cursor;
      this.words = words;
      this.error = null;
    } catch (failure) {
      if (question !== this.#question) return;
      this.error = failure;
    }
    this.busy = false;
  }
}

/** The hits of each project, projects in the order of their first hit. */
export function byProject(hits: readonly SearchHit[]): SearchHit[][] {
  const groups = new Map<Id, SearchHit[]>();
  for (const hit of hits) {
    const group = groups.get(hit.project.id);
    if (group) group.push(hit);
    else groups.set(hit.project.id, [hit]);
  }
  return [...groups.values()];
}

/** The text cut where one of the words is in it: pieces, and whether each is a match. */
export function marked(text: string, words: string): Array<{ text: string; match: boolean }> {
  const wanted = words.split(/\s+/).filter(Boolean);
  if (wanted.length === 0 || !text) return [{ text, match: false }];
  const pattern = wanted
    .sort((a, b) => b.length - a.length)
    .map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('|');
  return text
    .split(new RegExp(`(${pattern})`, 'giu'))
    .map((piece, index) => ({ text: piece, match: index % 2 === 1 }))
    .filter(({ text: piece }) => piece !== '');
}
