/** Opens a project for the screen: its store and its view. */

import { session } from '../server/session.svelte';
import type { Id } from '../types';
import { BoardStore } from './board.svelte';
import { BoardView } from './board-view.svelte';

export interface OpenBoard {
  store: BoardStore;
  view: BoardView;
}

/** Made where a component is made; nothing is read before `follow`. */
export function openBoard(project: Id): OpenBoard {
  const store = new BoardStore(project, {
    rest: session.rest,
    live: session.live,
    user: session.user?.id ?? null,
    device: session.device,
  });
  return { store, view: new BoardView(store) };
}

/** Reads the board and follows its log until the returned function is called. */
export function follow({ store, view }: OpenBoard): () => void {
  void store.open();
  return () => {
    view.close();
    store.close();
  };
}
