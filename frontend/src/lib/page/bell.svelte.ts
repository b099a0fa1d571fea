/**
 * What every page knows of notifications before their code has come: how many are unread, and which task is open.
 * lib/inbox keeps the first and reads the second.
 */
import type { Id } from '../types';

let unread = $state(0);
let task = $state<Id | null>(null);

export const bell = {
  get unread(): number {
    return unread;
  },
  set unread(count: number) {
    unread = count;
  },
  /** The task that is open, whose notifications count as read while somebody looks at it. */
  get task(): Id | null {
    return task;
  },
  /** A task is open. Returns what ends that. */
  open(id: Id): () => void {
    task = id;
    return () => {
      if (task === id) task = null;
    };
  },
};
