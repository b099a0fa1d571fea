/** A list that the server has page by page, and searches: accounts, the archive, the trash. */
import type { Id, Page } from '../types';

/** A pause in the typing this long is a question. */
const PAUSE_MS = 180;

type Read<T> = (query: string, cursor: string | null) => Promise<Page<T>>;

export class Paged<T extends { id: Id }> {
  items = $state.raw<T[] | null>(null);
  error = $state.raw<unknown>(null);
  query = $state('');
  busy = $state(false);
  #cursor = $state.raw<string | null>(null);

  readonly #read: Read<T>;
  #question = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(read: Read<T>) {
    this.#read = read;
  }

  get more(): boolean {
    return this.#cursor !== null;
  }

  /** From the beginning. */
  load(): Promise<void> {
    return this.#ask(null);
  }

  next(): Promise<void> {
    return this.#ask(this.#cursor);
  }

  type(text: string): void {
    this.query = text;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.load(), PAUSE_MS);
  }

  put(changed: T): void {
    this.items = this.items?.map((one) => (one.id === changed.id ? changed : one)) ?? null;
  }

  remove({ id }: T): void {
    this.items = this.items?.filter((one) => one.id !== id) ?? null;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#question++;
  }

  /** Only the answer to the last question counts. */
  async #ask(cursor: string | null): Promise<void> {
    const question = ++this.#question;
    this.error = null;
    this.busy = true;
    try {
      const page = await this.#read(this.query.trim(), cursor);
      if (question !== this.#question) return;
      this.items = cursor === null ? page.items : [...(this.items ?? []), ...page.items];
      this.#cursor = page.next_cursor;
    } catch (failure) {
      if (question === this.#question) this.error = failure;
    }
    if (question === this.#question) this.busy = false;
  }
}
