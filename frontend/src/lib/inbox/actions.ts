/** The keys of the inbox, as actions of the page: in the list on `?` and in the palette like all others. */
import type { Action } from '../actions/action';
import type { Notification } from '../types';
import type { InboxTools } from './tools.svelte';

interface At {
  /** The row a key is about; null while something else has the attention. */
  current: () => Notification | null;
  /** Those that stand together with it. */
  group: (item: Notification) => Notification[];
  walk: (step: 1 | -1) => void;
  /** What a menu about it opens beside. */
  button: (item: Notification) => HTMLElement | null;
}

export function inboxActions(tools: InboxTools, { current, group, walk, button }: At): Action[] {
  const when = () => current() !== null;
  const on = (act: (item: Notification) => void) => () => {
    const item = current();
    if (item) act(item);
  };
  return [
    { id: 'walk-next', title: 'inbox.next', keys: ['J', 'ArrowDown'], keyOnly: true, run: () => walk(1) },
    { id: 'walk-previous', title: 'inbox.previous', keys: ['K', 'ArrowUp'], keyOnly: true, run: () => walk(-1) },
    {
      id: 'inbox-archive',
      title: 'action.archive',
      keys: ['E'],
      icon: 'archive' as const,
      run: on((item) => void tools.archive([item])),
    },
    {
      id: 'inbox-archive-group',
      title: 'inbox.archive_group',
      keys: ['Shift+E'],
      icon: 'archive' as const,
      run: on((item) => void tools.archive(group(item))),
    },
    {
      id: 'inbox-unread',
      title: 'inbox.toggle_read',
      keys: ['U'],
      icon: 'mail' as const,
      run: on((item) => tools.toggleRead(item)),
    },
    {
      id: 'inbox-snooze',
      title: 'inbox.snooze',
      keys: ['H'],
      icon: 'clock' as const,
      run: on((item) => {
        const beside = button(item);
        if (beside && item.archived_at === null) tools.askSnooze(item, beside);
      }),
    },
  ].map((action) => ({ group: 'inbox', when, ...action }) as Action);
}
