/** Which cards have comments one has not seen: the count at the last look, kept on this device. */
import { SvelteMap } from 'svelte/reactivity';
import type { BoardStore } from '../board/board.svelte';
import { forget, remember, remembered } from '../page/storage';
import type { Card, Id } from '../types';

/** Looks in quick succession are written down once. */
const WRITE_MS = 300;

export class Unread {
  readonly #key: string;
  /** Null until the board is there: on a first visit everything counts as seen. */
  #seen: SvelteMap<Id, number> | null = $state.raw(null);
  readonly #stops: Array<() => void>;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(store: BoardStore) {
    this.#key = `comments.${store.user}.${store.id}`;
    const write = () => this.#write();
    addEventListener('pagehide', write);
    this.#stops = [
      () => removeEventListener('pagehide', write),
      store.follow((event) => {
        if (event?.type !== 'comment_deleted') return;
        const { task_id, comment_count } = event.data as { task_id: Id; comment_count: number };
        if ((this.#seen?.get(task_id) ?? 0) > comment_count) this.#set(task_id, comment_count);
      }),
      $effect.root(() => {
        $effect(() => {
          if (store.phase === 'left') forget(this.#key);
          else if (store.user && store.phase === 'ready' && store.shown && !this.#seen) this.#begin(store.shown.tasks);
        });
      }),
    ];
  }

  has(card: Card): boolean {
    return this.#seen !== null && card.comment_count > (this.#seen.get(card.id) ?? 0);
  }

  /** Somebody looks at the card's comments. */
  see(card: Card): void {
    if (this.#seen && this.#seen.get(card.id) !== card.comment_count) this.#set(card.id, card.comment_count);
  }

  close(): void {
    this.#write();
    for (const stop of this.#stops) stop();
  }

  #begin(cards: readonly Card[]): void {
    const kept = read(this.#key);
    const counts = cards.filter((card) => card.comment_count > 0).map((card) => [card.id, card.comment_count] as const);
    const known = kept && counts.map(([id, count]) => [id, Math.min(count, kept[id] ?? 0)] as const);
    this.#seen = new SvelteMap(known ?? counts);
    if (!kept) this.#writeSoon();
  }

  #set(id: Id, count: number): void {
    this.#seen?.set(id, count);
    this.#writeSoon();
  }

  #writeSoon(): void {
    this.#timer ??= setTimeout(() => this.#write(), WRITE_MS);
  }

  #write(): void {
    if (this.#timer === undefined || !this.#seen) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    remember(this.#key, JSON.stringify(Object.fromEntries(this.#seen)));
  }
}

function read(key: string): Record<Id, number> | null {
  try {
    return JSON.parse(remembered(key) ?? 'null') as Record<Id, number> | null;
  } catch {
    return null;
  }
}
