/** What the connection doctor examines: this browser, and the server this page came from. */
import type { Surroundings } from '../admin/diagnostics';
import { VERSION } from '../page/version';
import { session } from '../server/session.svelte';
import { SocketProbe } from '../server/socket-probe';

const SCRATCH = 'timetodo-diagnostics';

export function surroundings(): Surroundings {
  return {
    server: () => session.rest.server(),
    ready: async () => (await (await fetch('/readyz', { cache: 'no-store' })).json()).checks,
    probe: async () =>
      new SocketProbe(socketUrl(), await session.api.token(), (url, protocols) => new WebSocket(url, protocols)),
    version: VERSION,
    navigator,
    canStore,
    notifications: 'Notification' in globalThis ? Notification.permission : 'unsupported',
    secure: isSecureContext,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  };
}

function socketUrl(): string {
  const url = new URL('/api/v1/ws', location.origin);
  url.protocol = url.protocol.replace('http', 'ws');
  return url.href;
}

/** Private windows of some browsers have a database that cannot be opened. */
function canStore(): Promise<boolean> {
  return new Promise((resolve) => {
    try {
      const opening = indexedDB.open(SCRATCH);
      opening.onerror = () => resolve(false);
      opening.onsuccess = () => {
        opening.result.close();
        indexedDB.deleteDatabase(SCRATCH);
        resolve(true);
      };
    } catch {
      resolve(false);
    }
  });
}
