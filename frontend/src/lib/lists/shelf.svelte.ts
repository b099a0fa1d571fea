/** A list of cards that are not on the board, page by page and searched: the archive, the trash. */
import type { Page, ShelvedTask } from '../types';

/** A pause in the typing this long is a question. */
const PAUSE_MS = 180;

type Read = (query: string, cursor: string | null) => Promise<Page<ShelvedTask>>;

export class Shelf {
  tasks = $state.raw<ShelvedTask[] | null>(null);
  error = $state.raw<unknown>(null);
  query = $state('');
  busy = $state(false);
  #cursor = $state.raw<string | null>(null);

  readonly #read: Read;
  readonly #back: (task: ShelvedTask) => Promise<unknown>;
  #question = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param back puts a card on the board again */
  constructor(read: Read, back: (task: ShelvedTask) => Promise<unknown>) {
    this.#read = read;
    this.#back = back;
  }

  get more(): boolean {
    return this.#cursor !== null;
  }

  load(): Promise<void> {
    return this.#ask(null);
  }

  next(): Promise<void> {
    return this.#ask(this.#cursor);
  }

  search(query: string): void {
    this.query = query;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.load(), PAUSE_MS);
  }

  /** Puts it back on the board, and takes it from the list. */
  async giveBack(task: ShelvedTask): Promise<void> {
    await this.#back(task);
    this.tasks = this.tasks?.filter((other) => other.id !== task.id) ?? null;
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
      this.tasks = cursor === null ? page.items : [...(this.tasks ?? []), ...page.items];
      this.#cursor = page.next_cursor;
    } catch (failure) {
      if (question === this.#question) this.error = failure;
    }
    if (question === this.#question) this.busy = false;
  }
}
