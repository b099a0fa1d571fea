/** The inbox of who is signed in: made with the page, so that the bell counts wherever one is. */
import { session } from '../server/session.svelte';
import { headline } from './describe';
import { Inbox } from './inbox.svelte';
import { News } from './news';

let current = $state.raw<Inbox | null>(null);

export const inboxOf = {
  /** Null until the part of the page that keeps it is there. */
  get current(): Inbox | null {
    return current;
  },
};

/** Begins to follow. Returns what ends it. */
export function followInbox(): () => void {
  const news = new News({
    headline,
    seeTask: (task) => void inbox.seeTask(task),
  });
  const inbox = new Inbox({
    rest: session.rest,
    live: session.live,
    copies: session.device.copies,
    onNews: (item) => news.add(item),
  });
  current = inbox;
  inbox.start();
  return () => {
    news.stop();
    inbox.stop();
    current = null;
  };
}
