/** A task's part of the log: read page by page, newest first, and followed live. */

import type { BoardStore } from '../board/board.svelte';
import type { BoardEvent, Id } from '../types';
import { tell } from './activity';

export class ActivityLog {
  events = $state.raw<readonly BoardEvent[]>([]);
  /** Whether there is more to read; null before the first answer. */
  more = $state<boolean | null>(null);
  failure = $state.raw<unknown>(null);
  loading = $state(false);

  readonly entries = $derived.by(() => tell(this.events).filter(({ happenings }) => happenings.length > 0));

  readonly #board: BoardStore;
  readonly #task: Id;
  readonly #stop: () => void;
  #cursor: string | null = null;

  constructor(board: BoardStore, task: Id) {
    this.#board = board;
    this.#task = task;
    this.#stop = board.follow((event) => {
      if (event === null) void this.load();
      else if (event.data.task_id === task && this.more !== null) this.#put([event, ...this.events]);
    });
  }

  /** Reads it from the newest event on. */
  load(): Promise<void> {
    this.#cursor = null;
    return this.#read();
  }

  readMore(): Promise<void> {
    return this.#read();
  }

  close(): void {
    this.#stop();
  }

  async #read(): Promise<void> {
    this.loading = true;
    this.failure = null;
    const from = this.#cursor;
    try {
      const page = await this.#board.rest.tasks.activity(this.#task, from);
      this.#put([...this.events, ...page.items]);
      this.#cursor = page.next_cursor;
      this.more = page.next_cursor !== null;
    } catch (error) {
      this.failure = error;
    } finally {
      this.loading = false;
    }
  }

  /** Live events and pages overlap; each event once. */
  #put(events: readonly BoardEvent[]): void {
    const known = new Map(events.map((event) => [event.seq, event]));
    this.events = [...known.values()].sort((a, b) => b.seq - a.seq);
  }
}
