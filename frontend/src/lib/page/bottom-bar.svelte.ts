/** What a phone's bottom bar leads to: the board one was at last, and the line for a new card on it. */

import { projects } from '../lists/projects.svelte';
import { EDITORS, type Id, type ProjectWithRole } from '../types';
import { paths, router } from './router.svelte';
import { remember, remembered } from './storage';

let last = $state<Id | null>(remembered('board'));
let compose = $state.raw<(() => void) | null>(null);
/** Asked for while no board was on the screen. */
let wanted = false;

const mayWrite = ({ role }: ProjectWithRole) => EDITORS.includes(role);

export const bottomBar = {
  /** That of the project on the screen, else the last one; where that is not one's own any more, one to write on. */
  get board(): Id | null {
    const { route } = router;
    if (route.page === 'project') return route.project;
    const { list } = projects;
    if (!list || list.some(({ id }) => id === last)) return last;
    return (list.find(mayWrite) ?? list[0])?.id ?? null;
  },

  /** A board is on the screen; `write` opens its line for a new card, null for who may not write. Returns what ends it. */
  onBoard(project: Id, write: (() => void) | null): () => void {
    last = project;
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
    if (compose) return true;
    const { board } = this;
    if (!board || (router.route.page === 'project' && router.route.view === 'board')) return false;
    return !projects.list || projects.list.some((project) => project.id === board && mayWrite(project));
  },

  write(): void {
    if (compose) compose();
    else if (this.board) {
      wanted = true;
      router.go(paths.board(this.board));
    }
  },
};
