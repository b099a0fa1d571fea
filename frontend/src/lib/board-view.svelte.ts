/** What the screen of one board knows beyond its data: what is open, dragged, just changed by others. */
import { tick } from 'svelte';
import { SvelteMap } from 'svelte/reactivity';
import { announce } from './announcer.svelte';
import type { BoardStore } from './board.svelte';
import { BoardTools } from './board-tools.svelte';
import { temporaryId } from './changes';
import { clock } from './clock.svelte';
import { Drag } from './drag.svelte';
import { t } from './i18n.svelte';
import { showCard } from './keys';
import { router } from './router.svelte';
import { session } from './session.svelte';
import type { BoardEvent, Card, Column, Id, Role } from './types';
import { Typing } from './typing.svelte';

/** How long a card that somebody else changed keeps a ring in their colour. */
const TOUCHED_MS = 1_500;
/** Others' changes in one second beyond which they are no longer shown one by one. */
const STORM = 10;

export type OpenDialog =
  | { name: 'members' | 'labels' | 'project' }
  | { name: 'column'; column: Column | null }
  | { name: 'delete-card'; card: Card };

const EDITORS: ReadonlyArray<Role | null> = ['owner', 'admin', 'editor'];

export class BoardView {
  readonly store: BoardStore;
  readonly drag: Drag;
  readonly clock = clock;
  readonly typing: Typing;
  readonly tools: BoardTools;
  /** Others' recent changes: card id → the person's colour. */
  readonly touched = new SvelteMap<Id, string>();

  /** Number of the task in the panel. */
  openNumber = $state<number | null>(null);
  /** Key of the column whose composer is open. */
  composing = $state<string | null>(null);
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

  #recent: number[] = [];
  readonly #stop: () => void;

  constructor(store: BoardStore) {
    this.store = store;
    this.drag = new Drag({
      canDrag: () => this.canEdit,
      hold: () => store.hold(),
      onDrop: (id, { status, before }) => {
        store.commands.move(id, before === null ? { status } : { status, before_id: before });
        void tick().then(() => showCard(id));
      },
    });
    this.tools = new BoardTools(store);
    this.typing = new Typing(store.live, store.id, store.user);
    this.#stop = store.follow((event) => event && this.#show(event));
  }

  get timeZone(): string {
    return session.user?.time_zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  }

  close(): void {
    this.#stop();
    this.typing.close();
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

  #show({ type, user_id, data }: BoardEvent): void {
    if (!type.startsWith('task_') || user_id === this.store.user || user_id === null) return;
    const now = Date.now();
    this.#recent = [...this.#recent.filter((at) => now - at < 1_000), now];
    if (this.#recent.length > STORM) return;
    const id = data.task_id as Id;
    const actor = this.store.members.get(user_id);
    if (type === 'task_moved' && actor) {
      const column = this.store.columns.find(({ key }) => key === data.status);
      announce(t('announce.other_moved', { name: actor.name, key: String(data.key), column: column?.name ?? '' }));
    }
    const color = actor?.avatar_color ?? 'var(--accent)';
    this.touched.set(id, color);
    setTimeout(() => this.touched.delete(id), TOUCHED_MS);
  }
}
