/** The filter of a project's board, list and calendar. It lives in the address; here it meets the cards. */

import { SvelteSet } from 'svelte/reactivity';
import { router } from '../page/router.svelte';
import { clock } from '../time/clock.svelte';
import { timeZone } from '../time/here.svelte';
import type { Card, Id } from '../types';
import type { BoardStore } from './board.svelte';
import { isTemporary } from './changes';
import { type Facet, type Filter, filterQuery, isEmpty, ME, matcher, NO_FILTER, parseFilter, toggled } from './filter';

export class Filtering {
  /** Whether the choices are open. */
  open = $state(false);

  readonly #store: BoardStore;
  /** What one has made under this filter stays in sight, whether or not it fits. */
  readonly #made = new SvelteSet<Id>();

  readonly #query = $derived.by(() => {
    // The address is no state; the route is made anew with every change of it.
    void router.route;
    return filterQuery(parseFilter(location.search));
  });
  readonly filter = $derived(parseFilter(this.#query));
  readonly active = $derived(this.#query !== '');
  /** Only what depends on the day is looked at again as the clock moves on. */
  readonly #now = $derived(this.filter.due.length > 0 ? clock.now : null);
  readonly #done = $derived.by(() => new Set(this.#store.columns.filter((one) => one.is_done).map(({ key }) => key)));
  readonly #answered = $derived.by(
    () => new Set(this.#store.pending.flatMap(({ change, answer }) => (change.kind === 'create' && answer?.id) || [])),
  );
  readonly #fits = $derived.by(() =>
    matcher(this.filter, {
      me: this.#store.user,
      timeZone: timeZone(),
      now: this.#now ?? new Date(),
      isDone: (status) => this.#done.has(status),
    }),
  );

  constructor(store: BoardStore) {
    this.#store = store;
  }

  /** The filter as the query of an address, without a question mark. */
  get query(): string {
    return this.#query;
  }

  readonly shows = (card: Card): boolean =>
    !this.active || this.#fits(card) || isTemporary(card.id) || this.#made.has(card.id) || this.#answered.has(card.id);

  /** Tells of a card that was made here just now. */
  made(id: Id): void {
    if (this.active) this.#made.add(id);
  }

  set(filter: Filter): void {
    this.#made.clear();
    // Grouping, order and the day of a calendar are in the address, too.
    const others = new URLSearchParams(location.search);
    for (const name of Object.keys(NO_FILTER)) others.delete(name);
    const query = [filterQuery(filter), others.toString()].filter(Boolean).join('&');
    router.go(location.pathname + (query && `?${query}`), { replace: true });
  }

  /** Shows the cards of a saved view. */
  apply(query: string): void {
    this.set(parseFilter(query));
  }

  toggle(facet: Facet, value: string): void {
    this.set(toggled(this.filter, facet, value));
  }

  get isMine(): boolean {
    return this.filter.assignee.length === 1 && this.filter.assignee[0] === ME;
  }

  /** My cards alone, or everybody's again. */
  toggleMine(): void {
    this.set({ ...this.filter, assignee: this.isMine ? [] : [ME] });
  }

  clear(): void {
    if (this.active || !isEmpty(this.filter)) this.set(NO_FILTER);
  }
}
