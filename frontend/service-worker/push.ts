/**
 * Push messages, with or without a page: shown with what can be done about them, taken away when they were read
 * elsewhere, and not shown at all while somebody has the very task before them. The server's side is app/workers/push.py.
 */

interface Shown {
  type: 'show';
  /** The notification's id. */
  tag: string;
  title: string;
  body?: string;
  /** Path of what it is about. */
  url: string;
  task_id?: string | null;
  actions?: Array<{ action: string; title: string }>;
  timestamp?: string;
}
type Pushed = Shown | { type: 'close'; tag: string };
type Options = NotificationOptions & { actions?: Shown['actions']; timestamp?: number; renotify?: boolean };

/** What a page says of a task (lib/inbox/worker.ts): it has it open, with somebody before it, or not. */
type Shows = 'focused' | 'open' | 'no';

/** How long a page may take to say what it shows; one that hangs is not looked at. */
const ANSWER_MS = 500;
const API = '/api/v1';

export function listenToPush(worker: ServiceWorkerGlobalScope): void {
  // One after the other: Chromium forgets a notification if it is asked for others while it shows that one.
  let turn = Promise.resolve();
  worker.addEventListener('push', (event) => {
    const pushed = read(event.data);
    if (!pushed) return;
    const serve = () => (pushed.type === 'close' ? close(worker, pushed.tag) : show(worker, pushed));
    turn = turn.then(serve, serve);
    event.waitUntil(turn);
  });
  worker.addEventListener('notificationclick', (event) => {
    event.notification.close();
    const { tag, data } = event.notification;
    event.waitUntil(event.action === 'read' ? markRead(worker, tag) : open(worker, data.url, data.task, tag));
  });
  worker.addEventListener('pushsubscriptionchange', (event) => event.waitUntil(subscribeAgain(worker, event)));
}

/** Null for what this version does not understand. */
function read(data: PushMessageData | null): Pushed | null {
  try {
    const pushed = data?.json();
    return (pushed?.type === 'show' || pushed?.type === 'close') && typeof pushed.tag === 'string' ? pushed : null;
  } catch {
    return null;
  }
}

async function show(worker: ServiceWorkerGlobalScope, pushed: Shown): Promise<void> {
  const { tag, title, body = '', url, task_id = null, actions = [], timestamp } = pushed;
  if (task_id !== null && (await whoShows(worker, task_id, ['focused']))) return;
  const options: Options = {
    tag,
    body,
    data: { url, task: task_id },
    icon: '/icon-192.png',
    badge: '/icon-192.png',
    actions,
  };
  if (timestamp) options.timestamp = Date.parse(timestamp);
  await worker.registration.showNotification(title, options);
}

async function close(worker: ServiceWorkerGlobalScope, tag: string): Promise<void> {
  for (const notification of await worker.registration.getNotifications({ tag })) notification.close();
}

/** To the window that has the task, else the one used last, else a new one. */
async function open(worker: ServiceWorkerGlobalScope, url: string, task: string | null, id: string): Promise<void> {
  const path = safePath(url);
  const [last] = await windows(worker);
  const client = (task && (await whoShows(worker, task, ['focused', 'open']))) || last;
  if (!client) {
    await worker.clients.openWindow(path);
    return;
  }
  client.postMessage({ type: 'open', path, notification: id });
  // It may be refused; the page has been led there all the same.
  await client.focus().catch(() => {});
}

/** Only ever a path of ours, whatever a message says. */
const safePath = (url: string) => (/^\/(?![/\\])/.test(url) ? url : '/inbox');

/** By a page where there is one, which shows it at once; else with the session this browser has. */
async function markRead(worker: ServiceWorkerGlobalScope, id: string): Promise<void> {
  const [client] = await windows(worker);
  if (client) client.postMessage({ type: 'read', notification: id });
  else await call('PATCH', `/notifications/${encodeURIComponent(id)}`, { read: true });
}

/** The browser has given up a subscription: a new one in its place, or none if nobody is signed in any more. */
async function subscribeAgain(
  worker: ServiceWorkerGlobalScope,
  { oldSubscription, newSubscription }: PushSubscriptionChangeEvent,
): Promise<void> {
  const { pushManager } = worker.registration;
  const key = oldSubscription?.options.applicationServerKey;
  const options = { userVisibleOnly: true, ...(key && { applicationServerKey: key }) };
  const subscription = newSubscription ?? (await pushManager.subscribe(options));
  const { endpoint, keys } = subscription.toJSON();
  await call('POST', '/push/devices', { endpoint, keys });
}

const windows = (worker: ServiceWorkerGlobalScope) =>
  worker.clients.matchAll({ type: 'window', includeUncontrolled: true });

/** A window of ours that has that task open, in one of these ways. */
async function whoShows(
  worker: ServiceWorkerGlobalScope,
  task: string,
  wanted: readonly Shows[],
): Promise<WindowClient | null> {
  const asked = await windows(worker);
  const answers = await Promise.all(asked.map((client) => shows(client, task)));
  return asked[answers.findIndex((answer) => wanted.includes(answer))] ?? null;
}

function shows(client: WindowClient, task: string): Promise<Shows> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve('no'), ANSWER_MS);
    port1.onmessage = ({ data }) => {
      clearTimeout(timer);
      resolve(data);
    };
    client.postMessage({ type: 'shows', task }, [port2]);
  });
}

/** One change in the name of who is signed in here. The cookie is renewed as the page does, one at a time. */
async function call(method: string, path: string, body: object): Promise<void> {
  const headers: Record<string, string> = { 'Content-Type': 'application/json' };
  const send = (to: string, how: string, what: object) =>
    fetch(API + to, { method: how, headers, body: JSON.stringify(what), credentials: 'same-origin' });
  const renewed = await navigator.locks.request('timetodo-renew', () => send('/auth/refresh', 'POST', {}));
  if (!renewed.ok) return;
  headers.Authorization = `Bearer ${(await renewed.json()).access_token}`;
  headers['Idempotency-Key'] = crypto.randomUUID();
  await send(path, method, body);
}
