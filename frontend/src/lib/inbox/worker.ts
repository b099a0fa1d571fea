/** What the service worker asks of the page: whether it shows a task, to open one, to mark something as read. */
import { bell } from '../page/bell.svelte';
import { router } from '../page/router.svelte';
import type { Id } from '../types';
import { inboxOf } from './current.svelte';

/** service-worker/push.ts sends these. */
export type WorkerAsks =
  | { type: 'shows'; task: Id }
  | { type: 'open'; path: string; notification: Id }
  | { type: 'read'; notification: Id };

/** A push that was only a test is about none. */
const IS_ID = /^[\da-f]{8}-/;

const shows = (task: Id) => (bell.task !== task ? 'no' : document.hasFocus() ? 'focused' : 'open');

/** Answers until the returned function is called. */
export function answerWorker(): () => void {
  const { serviceWorker } = navigator as Partial<Navigator>;
  if (!serviceWorker) return () => {};
  const hear = ({ data, ports }: MessageEvent<WorkerAsks>) => {
    if (data.type === 'shows') ports[0]?.postMessage(shows(data.task));
    if (data.type === 'open') router.go(data.path);
    if (data.type !== 'shows' && IS_ID.test(data.notification)) void inboxOf.current?.read([data.notification]);
  };
  serviceWorker.addEventListener('message', hear);
  serviceWorker.startMessages();
  return () => serviceWorker.removeEventListener('message', hear);
}
