/** What the screen of one board knows beyond its data: what is open, dragged, just changed by others. */
import { tick } from 'svelte';
import type { BoardStore } from './board.svelte';
import { BoardTools } from './board-tools.svelte';
import { temporaryId } from './changes';
import { clock } from './clock.svelte';
import { Drag } from './drag.svelte';
import { showCard } from './keys';
import { router } from './router.svelte';
import { session } from './session.svelte';
import { Together } from './together.svelte';
import type { Card, Column, Id, Role } from './types';

export type OpenDialog =
  | { name: 'members' | 'labels' | 'project' }
  | { name: 'column'; column: Column | null }
  | { name: 'delete-card'; card: Card };

const EDITORS: ReadonlyArray<Role | null> = ['owner', 'admin', 'editor'];

export class BoardView {
  readonly store: BoardStore;
  readonly drag: Drag;
  readonly clock = clock;
  /** What is about the others. */
  readonly together: Together;
  readonly tools: BoardTools;

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
    this.together = new Together(store);
  }

  get timeZone(): string {
    return session.user?.time_zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  }

  close(): void {
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
}
