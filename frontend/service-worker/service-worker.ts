import { listenToPush } from './push';

/**
 * Keeps the page itself on this device, so that it opens at once and without a network. It never touches `/api`:
 * boards and changes are kept by the page (src/lib). A new version is fetched whole beside the old one and waits
 * until the page lets it in, so one page never mixes the parts of two versions.
 */

/** Every file of the page, and a name for just these contents; put in by the build (precache.ts). */
declare const __PRECACHE__: { version: string; files: string[] };

const worker = self as unknown as ServiceWorkerGlobalScope;
const { version, files } = __PRECACHE__;
const PREFIX = 'timetodo-page-';
const CACHE = PREFIX + version;
/** All addresses of the page are one document. */
const DOCUMENT = '/';
const FILES = new Set(files);

worker.addEventListener('install', (event) => {
  // Past the browser's own cache: a document remembered there may name files that are gone.
  const requests = files.map((file) => new Request(file, { cache: 'reload' }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(requests)));
});

worker.addEventListener('activate', (event) => {
  event.waitUntil(removeOthers().then(() => worker.clients.claim()));
});

worker.addEventListener('message', (event) => {
  if (event.data?.type === 'activate') event.waitUntil(worker.skipWaiting());
});

listenToPush(worker);

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== location.origin) return;
  if (request.mode === 'navigate' && !isServers(url.pathname)) event.respondWith(kept(DOCUMENT, request));
  else if (FILES.has(url.pathname)) event.respondWith(kept(url.pathname, request));
});

/** Addresses at which the server shows something else than the page: its files, and its metrics and health. */
const isServers = (path: string) => /^\/(api|static|assets)\/|^\/(metrics|healthz|readyz)$/.test(path);

async function kept(path: string, request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  return (await cache.match(path)) ?? fetch(request);
}

async function removeOthers(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(
    names.filter((name) => name.startsWith(PREFIX) && name !== CACHE).map((name) => caches.delete(name)),
  );
}
