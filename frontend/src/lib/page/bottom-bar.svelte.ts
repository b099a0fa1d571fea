/** What a phone's bottom bar leads to: the board one was at last, and the line for a new card on it. */

import type { Id } from '../types';
import { paths, router } from './router.svelte';
import { remember, remembered } from './storage';

let board = $state<Id | null>(remembered('board'));
let compose = $state.raw<(() => void) | null>(null);
/** Asked for while no board was on the screen. */
let wanted = false;

export const bottomBar = {
  /** The board on the screen, else the last one. */
  get board(): Id | null {
    return board;
  },

  /** A board is on the screen; `write` opens its line for a new card, null for who may not write. Returns what ends it. */
  onBoard(project: Id, write: (() => void) | null): () => void {
    board = project;
    remember('board', project);
    compose = write;
    if (wanted && write) write();
    wanted = false;
    return () => {
      if (compose === write) compose = null;
    };
  },

  /** Whether there is anywhere to write a card. */
  get canWrite(): boolean {
    return compose !== null || (board !== null && !(router.route.page === 'project' && router.route.view === 'board'));
  },

  write(): void {
    if (compose) compose();
    else if (board) {
      wanted = true;
      router.go(paths.board(board));
    }
  },
};
