/** The projects one is a member of: first as this device knows them, then as the server does; shown by the rail and by every page that names them. */
import { NetworkError } from '../server/errors';
import { session } from '../server/session.svelte';
import type { Id, Notification, ProjectWithRole } from '../types';

/** What one is told of, after which the list may be another: a project went away or came back, or one's part in it. */
const MAY_CHANGE = new Set(['changed', 'forgotten', 'project_added', 'project_removed', 'role_changed']);

class Projects {
  #list = $state.raw<ProjectWithRole[] | null>(null);
  error = $state.raw<unknown>(null);
  #owner: Id | null = null;
  #reading: Promise<void> | null = null;

  /** By name; null until they have been read. */
  get list(): readonly ProjectWithRole[] | null {
    return this.#list;
  }

  find(id: Id): ProjectWithRole | undefined {
    return this.#list?.find((project) => project.id === id);
  }

  /** Reads them. Never throws: a failure is in `error`, and what was known before stays. */
  load(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    const owner = session.user?.id ?? null;
    if (owner !== this.#owner) this.#list = null;
    this.#owner = owner;
    this.error = null;
    const { copies } = session.device;
    this.#list ??= (await copies?.projects()) ?? null;
    try {
      const list = await session.rest.projects.list();
      if (owner !== session.user?.id) return;
      this.#list = list;
      copies?.saveProjects(list);
    } catch (failure) {
      // Without a network, what this device knows is the answer.
      if (!this.#list || !(failure instanceof NetworkError)) this.error = failure;
    }
  }
}

export const projects = new Projects();

/** Keeps the list current while a page is open. Returns what ends it. */
export function followProjects(): () => void {
  void projects.load();
  const again = () => void projects.load();
  const stops = [
    session.live.on('project_updated', again),
    session.live.on('project_deleted', again),
    session.live.on('project_left', again),
    session.live.on('notification', ({ data }) => {
      const { action, notification } = data as { action: string; notification: Notification | null };
      if (MAY_CHANGE.has(action) || MAY_CHANGE.has(notification?.kind ?? '')) again();
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
