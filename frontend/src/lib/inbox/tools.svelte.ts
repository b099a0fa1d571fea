/** What can be done with the notifications of a list: one function for the key, the button and the menu. */
import type { MenuItem } from '../../components/ui/PopupMenu.svelte';
import { toasts } from '../page/announcer.svelte';
import { attempt } from '../server/attempt';
import type { Endpoints } from '../server/endpoints';
import { formatMoment } from '../time/dates';
import type { Notification } from '../types';
import { dateFormat } from '../words/formats';
import { i18n, t } from '../words/i18n.svelte';
import type { Inbox } from './inbox.svelte';
import { snoozes } from './snooze';

interface Surroundings {
  inbox: Inbox;
  rest: Pick<Endpoints, 'tasks'>;
  timeZone: () => string;
  /** Called before rows go from the list: whoever has the focus on one of them goes on to the next. */
  leaving: (items: readonly Notification[]) => void;
}

/** "Wed 18:00": it is never more than a week away. */
const shortMoment = (at: string, timeZone: string) =>
  dateFormat(i18n.language, { timeZone, weekday: 'short', hour: '2-digit', minute: '2-digit' }).format(new Date(at));

export class InboxTools {
  /** Whose times to come back are being chosen, and beside what. */
  snoozing = $state.raw<{ item: Notification; anchor: HTMLElement } | null>(null);
  readonly #world: Surroundings;

  constructor(world: Surroundings) {
    this.#world = world;
  }

  opened(item: Notification): void {
    if (item.read_at === null) void this.#world.inbox.read([item.id]);
  }

  toggleRead(item: Notification): void {
    void this.#world.inbox.read([item.id], item.read_at === null);
  }

  /** Away, or back where they came from. */
  async archive(items: readonly Notification[]): Promise<void> {
    const { inbox, leaving } = this.#world;
    const ids = items.map(({ id }) => id);
    const away = items.some(({ archived_at }) => archived_at === null);
    leaving(items);
    if (!(await inbox.archive(ids, away))) return;
    const text = t(away ? 'inbox.archived' : 'inbox.unarchived', { count: items.length });
    this.#offerUndo(text, () => void inbox.archive(ids, !away));
  }

  askSnooze(item: Notification, anchor: HTMLElement): void {
    this.snoozing = { item, anchor };
  }

  /** The times to choose from. */
  snoozeItems(item: Notification): MenuItem[] {
    const timeZone = this.#world.timeZone();
    return snoozes(new Date(), timeZone).map(({ name, until }) => ({
      label: `${t(`inbox.snooze_${name}`)} · ${shortMoment(until, timeZone)}`,
      icon: 'clock',
      run: () => void this.#snooze(item, until),
    }));
  }

  /** Everything in one menu, for fingers. */
  menu(item: Notification): MenuItem[] {
    const unread = item.read_at === null;
    const away = item.archived_at !== null;
    const [first, ...others] = away ? [] : this.snoozeItems(item);
    return [
      {
        label: t(away ? 'inbox.unarchive' : 'action.archive'),
        icon: away ? 'unarchive' : 'archive',
        run: () => void this.archive([item]),
      },
      {
        label: t(unread ? 'inbox.mark_read' : 'inbox.mark_unread'),
        icon: unread ? 'check' : 'mail',
        run: () => this.toggleRead(item),
      },
      ...(item.task_id === null
        ? []
        : [{ label: t('inbox.mute'), icon: 'bell-off' as const, run: () => void this.#mute(item) }]),
      ...(first ? [{ ...first, heading: t('inbox.snooze') }, ...others] : []),
    ];
  }

  async #snooze(item: Notification, until: string): Promise<void> {
    const { inbox, leaving } = this.#world;
    leaving([item]);
    if (!(await inbox.snooze([item.id], until))) return;
    const when = formatMoment(until, i18n.language, this.#world.timeZone());
    this.#offerUndo(t('inbox.snoozed', { when }), () => void inbox.snooze([item.id], null));
  }

  async #mute({ task_id, task_key }: Notification): Promise<void> {
    if (task_id === null) return;
    const { watch } = this.#world.rest.tasks;
    if (!(await attempt(() => watch(task_id, 'muted')))) return;
    this.#offerUndo(t('inbox.muted', { key: task_key ?? '' }), () => void attempt(() => watch(task_id, 'default')));
  }

  #offerUndo(text: string, run: () => void): void {
    toasts.show({ tone: 'info', text, action: { label: t('undo.undo'), run } });
  }
}
