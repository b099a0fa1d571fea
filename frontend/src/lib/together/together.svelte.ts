/** Everything on a board that is about the others: who writes, what they just changed, what was missed, what is unread. */
import { SvelteMap } from 'svelte/reactivity';
import type { BoardStore } from '../board/board.svelte';
import { announce } from '../page/announcer.svelte';
import type { Online } from '../server/live';
import type { BoardEvent, Card, Id } from '../types';
import { t } from '../words/i18n.svelte';
import { Absence } from './absence.svelte';
import { Storm } from './glide';
import { Typing } from './typing.svelte';
import { Unread } from './unread.svelte';

/** How long a card that somebody else changed wears their colour. */
const TOUCHED_MS = 1_500;

/** Who has just changed a card. */
export interface Touch {
  name: string;
  color: string;
}

/** A card that somebody else took off the board. */
export interface GoneCard extends Pick<Card, 'id' | 'key' | 'number' | 'title'> {
  by: string;
  how: 'deleted' | 'archived';
}

const UNKNOWN_COLOR = '#546e7a';

export class Together {
  readonly typing: Typing;
  readonly absence: Absence;
  readonly unread: Unread;
  /** Others' changes of the last moments: card id → who. */
  readonly touched = new SvelteMap<Id, Touch>();
  /** The others who have a card open: card id → people. */
  readonly viewers = $derived.by(() => {
    const viewers = new Map<Id, Online[]>();
    for (const person of this.#store.online) {
      if (!person.viewing || person.user_id === this.#store.user) continue;
      viewers.set(person.viewing, [...(viewers.get(person.viewing) ?? []), person]);
    }
    return viewers;
  });

  /** What texts may speak of: the members, and the tasks of this project. */
  readonly vocabulary = $derived.by(() => ({
    names: [...this.#store.members.values()].map(({ name }) => name),
    keys: this.#store.shown ? [this.#store.shown.project.key] : [],
  }));

  /** The last card that somebody else deleted or archived: it may be the one that is open here. */
  gone = $state.raw<GoneCard | null>(null);

  /** The card that is open here, whose panel tells of its moves itself. */
  open: Id | null = null;

  readonly #store: BoardStore;
  readonly #storm = new Storm();
  readonly #stop: () => void;
  readonly #timers = new Map<Id, ReturnType<typeof setTimeout>>();
  /** Called with the card before a move of somebody else is drawn. */
  onMove: (id: Id) => void = () => {};

  constructor(store: BoardStore) {
    this.#store = store;
    this.typing = new Typing(store.live, store.id, store.user);
    this.absence = new Absence(store);
    this.unread = new Unread(store);
    this.#stop = store.follow((event) => event && this.#show(event));
  }

  color(user: Id): string {
    return this.#store.members.get(user)?.avatar_color ?? UNKNOWN_COLOR;
  }

  close(): void {
    this.#stop();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.typing.close();
    this.absence.close();
    this.unread.close();
  }

  #show({ type, user_id, data }: BoardEvent): void {
    if (!/^(task|comment)_/.test(type) || user_id === this.#store.user || user_id === null) return;
    const id = data.task_id as Id;
    const name = this.#store.members.get(user_id)?.name ?? '';
    if (type === 'task_deleted' || type === 'task_archived') {
      const { key, number, title } = data as unknown as Card;
      this.gone = { id, key, number, title, by: name, how: type === 'task_deleted' ? 'deleted' : 'archived' };
    }
    if (!this.#storm.calm(performance.now())) return;
    if (type === 'task_moved') {
      const column = this.#store.columns.find(({ key }) => key === data.status);
      if (id !== this.open)
        announce(t('announce.other_moved', { name, key: String(data.key), column: column?.name ?? '' }));
      this.onMove(id);
    }
    this.touched.set(id, { name, color: this.color(user_id) });
    clearTimeout(this.#timers.get(id));
    this.#timers.set(
      id,
      setTimeout(() => this.touched.delete(id), TOUCHED_MS),
    );
  }
}
