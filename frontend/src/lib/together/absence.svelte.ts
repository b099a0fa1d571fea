/**
 * Notices that somebody was away (a hidden tab, a lost connection, a closed page) and reads from the log what others did
 * meanwhile: a summary in one line, and a mark on every card that changed, until it has been looked at.
 */
import { SvelteSet } from 'svelte/reactivity';
import type { BoardStore } from '../board/board.svelte';
import { forget, remember, remembered } from '../page/storage';
import { ApiError } from '../server/errors';
import type { BoardEvent, Card, Id } from '../types';
import { isNews, type Missed, summarise } from './away';

/** A tab looked away from for less than this is not news. */
const HIDDEN_MS = 60_000;
/** Somebody who sees the board stand still misses things sooner. */
const CUT_OFF_MS = 10_000;
/** A page closed and opened again. */
const CLOSED_MS = 5 * 60_000;
/** How often a page in use writes down that it is, lest a crash makes everything news. */
const NOTE_MS = 60_000;
/** Most events summed up, in pages of the server's largest size: beyond that, "a lot" is the answer. */
const PAGES = 3;

/** Where and when somebody looked last. */
interface Left {
  epoch: string;
  seq: number;
  at: number;
}

export class Absence {
  /** What others did, to be told until it is dismissed; `lot` where the log no longer says. */
  missed = $state.raw<Missed | 'lot' | null>(null);
  /** Changed cards that have not been looked at yet. */
  readonly marks = new SvelteSet<Id>();

  readonly #store: BoardStore;
  readonly #key: string;
  readonly #stops: Array<() => void> = [];
  #left: (Left & { cards?: readonly Card[] }) | null = null;
  #wasCutOff = false;
  #shownAt = 0;

  constructor(store: BoardStore) {
    this.#store = store;
    this.#key = `left.${store.user}.${store.id}`;
    if (!store.user) return;
    this.#left = read(this.#key);
    // Closed for a short while only: that is a reload, and nothing was missed.
    if (this.#left && Date.now() - this.#left.at < CLOSED_MS) this.#left = null;
    this.#listen();
  }

  /** A card has been looked at. */
  see(id: Id): void {
    this.marks.delete(id);
  }

  dismiss(): void {
    this.missed = null;
    this.marks.clear();
  }

  /** The next changed card to look at, round and round; undefined where none is left on the board. */
  next(): Card | undefined {
    if (!this.missed || this.missed === 'lot') return undefined;
    const cards = this.missed.cards.flatMap((id) => this.#store.card(id) ?? []);
    const card = cards[this.#shownAt++ % Math.max(1, cards.length)];
    if (card) this.see(card.id);
    return card;
  }

  close(): void {
    if (!this.#left) this.#note();
    for (const stop of this.#stops) stop();
  }

  #listen(): void {
    const look = () => this.#update();
    const note = () => this.#left || this.#note();
    document.addEventListener('visibilitychange', look);
    addEventListener('pagehide', note);
    const timer = setInterval(note, NOTE_MS);
    this.#stops.push(
      () => document.removeEventListener('visibilitychange', look),
      () => removeEventListener('pagehide', note),
      () => clearInterval(timer),
      $effect.root(() => {
        $effect(() => {
          void this.#store.connection.state;
          void this.#store.phase;
          this.#update();
        });
      }),
    );
  }

  #update(): void {
    const { phase, connection, shown } = this.#store;
    if (phase === 'left') forget(this.#key);
    if (phase !== 'ready' || !shown) return;
    const live = connection.state === 'live';
    if (live && document.visibilityState === 'visible') this.#return();
    else this.#leave(live);
  }

  #leave(live: boolean): void {
    if (!live) this.#wasCutOff = true;
    if (this.#left) return;
    this.#note();
    const left = read(this.#key);
    this.#left = left && { ...left, cards: this.#store.shown?.tasks ?? [] };
  }

  #return(): void {
    const left = this.#left;
    const least = this.#wasCutOff ? CUT_OFF_MS : HIDDEN_MS;
    this.#left = null;
    this.#wasCutOff = false;
    if (left && Date.now() - left.at >= least) void this.#read(left);
    this.#note();
  }

  async #read({ epoch, seq, cards = [] }: Left & { cards?: readonly Card[] }): Promise<void> {
    const store = this.#store;
    const { user } = store;
    if (!user) return;
    const before = new Map(cards.map((card) => [card.id, card]));
    try {
      const events = await readLog(store, epoch, seq);
      if (events === null) this.missed = 'lot';
      else this.#tell(summarise(events, user, (id) => before.get(id)));
    } catch (error) {
      // Gone: the log is cut or another one. Anything else was not worth asking twice.
      if (error instanceof ApiError && error.status === 410) this.missed = 'lot';
    }
  }

  #tell(missed: Missed): void {
    if (!isNews(missed)) return;
    this.missed = missed;
    this.#shownAt = 0;
    for (const id of missed.cards) this.marks.add(id);
  }

  #note(): void {
    const board = this.#store.shown;
    if (!board || this.#store.phase !== 'ready') return;
    remember(this.#key, JSON.stringify({ epoch: board.epoch, seq: board.seq, at: Date.now() } satisfies Left));
  }
}

/** Everything after `seq`; null when that is more than anybody wants to be told. */
async function readLog(store: BoardStore, epoch: string, seq: number): Promise<BoardEvent[] | null> {
  const events: BoardEvent[] = [];
  let since: number | null = seq;
  for (let page = 0; since !== null; page++) {
    if (page === PAGES) return null;
    const answer = await store.rest.projects.events(store.id, since, epoch);
    events.push(...answer.items);
    since = answer.next_since;
  }
  return events;
}

function read(key: string): Left | null {
  try {
    return JSON.parse(remembered(key) ?? 'null') as Left | null;
  } catch {
    return null;
  }
}
