/** What the screen of one board knows beyond its data: what is open, dragged, just changed by others. */

import { MediaQuery } from 'svelte/reactivity';
import { Drag } from '../drag/drag.svelte';
import type { Drop } from '../drag/drag-geometry';
import { toasts } from '../page/announcer.svelte';
import { router } from '../page/router.svelte';
import { clock } from '../time/clock.svelte';
import { timeZone } from '../time/here.svelte';
import { Together } from '../together/together.svelte';
import { type Column, EDITORS, type Id } from '../types';
import { t } from '../words/i18n.svelte';
import type { BoardStore } from './board.svelte';
import { BoardLists } from './board-lists.svelte';
import { BoardTools } from './board-tools.svelte';
import { temporaryId } from './changes';
import { Collapsed } from './collapsed.svelte';
import { ColumnOrder } from './column-order.svelte';
import { newCardFields } from './filter';
import { Filtering } from './filtering.svelte';
import { gapBefore, placementIn } from './placing';

export type OpenDialog = { name: 'members' | 'labels' | 'project' } | { name: 'column'; column: Column | null };

export class BoardView {
  readonly store: BoardStore;
  readonly drag: Drag;
  readonly filtering: Filtering;
  readonly collapsed: Collapsed;
  readonly lists: BoardLists;
  readonly order: ColumnOrder;
  /** One column fills the screen. */
  readonly phone = new MediaQuery('max-width: 599px', false);
  readonly clock = clock;
  /** What is about the others. */
  readonly together: Together;
  readonly tools: BoardTools;

  /** Number of the task in the panel. */
  openNumber = $state<number | null>(null);
  /** Key of the column whose composer is open. */
  composing = $state<string | null>(null);
  /** Where that composer is: at the head of the column or at its foot. */
  composingAt = $state<'top' | 'bottom'>('bottom');
  /** Key of the column a phone shows. */
  shownColumn = $state<string | null>(null);
  menu = $state.raw<{ id: Id; anchor: HTMLElement } | null>(null);
  dialog = $state.raw<OpenDialog | null>(null);

  readonly canEdit = $derived.by(() => EDITORS.includes(this.store.role));
  readonly canComment = $derived.by(() => this.canEdit || this.store.role === 'commenter');
  readonly canManage = $derived.by(() => this.store.role === 'owner' || this.store.role === 'admin');
  /** Cards with changes the server has not answered yet. */
  readonly waiting = $derived.by(
    () =>
      new Set(
        this.store.pending
          .filter((item) => !item.accepted)
          .map(({ change }) => ('task_id' in change ? change.task_id : temporaryId(change.op_id))),
      ),
  );
  readonly openCard = $derived.by(() => this.store.shown?.tasks.find((card) => card.number === this.openNumber));

  readonly #stop: () => void;

  constructor(store: BoardStore) {
    this.store = store;
    this.filtering = new Filtering(store);
    this.collapsed = new Collapsed(store.user, store.id);
    this.lists = new BoardLists(store, this.filtering, this.collapsed);
    this.order = new ColumnOrder(store, () => this.canManage);
    store.commands.lists = (status) => this.lists.of(status);
    this.drag = new Drag({
      canDrag: () => this.canEdit,
      hold: () => store.hold(),
      paged: () => this.phone.current,
      onDrop: (id, over) => this.#drop(id, over),
    });
    this.tools = new BoardTools(store);
    this.together = new Together(store);
    this.#stop = store.follow((event) => {
      if (event?.type === 'task_created' && event.user_id === store.user) this.filtering.made(event.data.task_id as Id);
    });
  }

  get timeZone(): string {
    return timeZone();
  }

  close(): void {
    this.#stop();
    this.order.stop();
    this.together.close();
  }

  openMenu(id: Id, anchor: HTMLElement): void {
    this.menu = { id, anchor };
  }

  /** The address of a task of this project, over the view that is shown now. */
  taskPath(number: number): string {
    return router.taskPath({ project: this.store.id, number });
  }

  closeTask(): void {
    router.closeTask();
  }

  /** Opens the line for a new card, at the foot of a column or at its head. */
  compose(column: string, at: 'top' | 'bottom' = 'bottom'): void {
    if (this.collapsed.has(column) && !this.phone.current) this.collapsed.toggle(column);
    this.composingAt = at;
    this.composing = column;
  }

  /** What a new card of a column begins with: its place, and what the filter asks for, so that it is not hidden at once. */
  newCardDefaults(column: string): { before_id?: Id } & ReturnType<typeof newCardFields> {
    const first = this.composingAt === 'top' ? this.store.cards.get(column)?.[0] : undefined;
    return { ...(first && { before_id: first.id }), ...newCardFields(this.filtering.filter, this.store.user) };
  }

  /** Cards that go along with that one: all that are marked, if it is. */
  group(id: Id): readonly Id[] {
    const { selection } = this.tools;
    return selection.has(id) ? selection.cards.map((card) => card.id) : [id];
  }

  /** Others may have changed the column during the drag: the gap is noted by its neighbours, and found again. */
  #drop(id: Id, { status, before }: Drop): () => void {
    const ids = this.group(id);
    const moving = new Set(ids);
    const gap = gapBefore(status, this.lists.of(status), before, moving);
    return () => {
      const left = ids.filter((one) => this.store.card(one));
      if (left.length === 0) {
        toasts.show({ tone: 'info', text: t('board.dropped_gone') });
        return;
      }
      const { commands } = this.store;
      const work = () =>
        left.forEach((one, index) => {
          const previous = left[index - 1];
          const whole = this.store.cards.get(status) ?? [];
          commands.move(one, previous ? { status, after_id: previous } : placementIn(gap, whole, moving));
        });
      if (left.length === 1) work();
      else commands.together(t('board.dropped_many', { count: left.length }), work);
      if (!this.collapsed.has(status)) void this.lists.show(id);
    };
  }
}
