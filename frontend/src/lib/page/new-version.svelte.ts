/**
 * A version of the page that is newer than this one: kept by the service worker, or, where there is none (plain HTTP),
 * told by the server when the socket comes back after its restart. It is let in by the person, or while nobody looks.
 */

import { session } from '../server/session.svelte';
import { pageUpdate } from './page-update.svelte';
import { VERSION } from './version';

/** The version this tab has been loaded again for: a cache in between may still hand out the old page, and once is enough. */
const RELOADED = 'timetodo.reloaded-for';

class NewVersion {
  #server = $state(VERSION);

  get ready(): boolean {
    return pageUpdate.ready || this.#server !== VERSION;
  }

  /** Watches until the returned function is called. */
  start(): () => void {
    const stop = session.live.on('state', ({ data }) => {
      if (data.state === 'open') void this.#ask();
    });
    const turn = () => {
      if (document.visibilityState === 'hidden' && this.#server !== VERSION && !hasReloadedFor(this.#server))
        this.apply();
    };
    document.addEventListener('visibilitychange', turn);
    return () => {
      stop();
      document.removeEventListener('visibilitychange', turn);
    };
  }

  /** Loads the new page. What is being written is a draft by now, what waits to be sent is kept. */
  apply(): void {
    if (pageUpdate.ready) {
      pageUpdate.apply();
      return;
    }
    sessionStorage.setItem(RELOADED, this.#server);
    location.reload();
  }

  async #ask(): Promise<void> {
    try {
      this.#server = (await session.rest.server()).version;
    } catch {
      // It will be asked again with the next connection.
    }
  }
}

const hasReloadedFor = (version: string) => sessionStorage.getItem(RELOADED) === version;

export const newVersion = new NewVersion();
