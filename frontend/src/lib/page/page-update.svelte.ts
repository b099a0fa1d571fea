/**
 * The page kept on this device by the service worker, and a newer one that waits to be let in.
 *
 * A new version comes whole and in the background. It takes over when the person says so, or while nobody looks at
 * the page; texts being written are drafts by then, so none is lost.
 */

const LOOK_AGAIN_MS = 30 * 60_000;

class PageUpdate {
  /** A newer version of the page is here and waits. */
  ready = $state(false);

  #registration: ServiceWorkerRegistration | undefined;
  #lookedAt = 0;

  /** Registers the service worker; without one (plain http, a private window) the page is loaded as ever. */
  async start(): Promise<void> {
    if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
    const { serviceWorker } = navigator;
    const isUpdate = serviceWorker.controller !== null;
    serviceWorker.addEventListener('controllerchange', () => isUpdate && location.reload());
    document.addEventListener('visibilitychange', () => this.#turn());
    try {
      this.#registration = await serviceWorker.register('/service-worker.js');
    } catch {
      return;
    }
    this.#lookedAt = Date.now();
    this.#watch(this.#registration);
  }

  /** Lets the new version in; every tab of the page loads it. */
  apply(): void {
    this.#registration?.waiting?.postMessage({ type: 'activate' });
  }

  #watch(registration: ServiceWorkerRegistration): void {
    const look = () => {
      // The first worker ever waits for nobody.
      this.ready = registration.waiting !== null && navigator.serviceWorker.controller !== null;
    };
    const follow = () => {
      registration.installing?.addEventListener('statechange', look);
      look();
    };
    registration.addEventListener('updatefound', follow);
    follow(); // it may have been found already
  }

  #turn(): void {
    if (document.visibilityState === 'hidden') {
      if (this.ready) this.apply();
    } else if (Date.now() - this.#lookedAt > LOOK_AGAIN_MS) {
      this.#lookedAt = Date.now();
      void this.#registration?.update().catch(() => {});
    }
  }
}

export const pageUpdate = new PageUpdate();
