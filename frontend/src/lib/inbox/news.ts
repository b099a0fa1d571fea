/**
 * What is new, told on the page that somebody looks at: one message at a time, and one for many that come together.
 * Nothing is said of the task they have before them, and on the inbox it is only read out, for there it shows.
 */
import { announce, toasts } from '../page/announcer.svelte';
import { bell } from '../page/bell.svelte';
import { paths, router } from '../page/router.svelte';
import type { Id, Notification } from '../types';
import { t } from '../words/i18n.svelte';
import { numberOf } from './groups';

/** What comes within this time is told together. */
const GATHER_MS = 400;

interface Surroundings {
  headline: (item: Notification) => string;
  seeTask: (task: Id) => void;
  /** Whether somebody looks at this window: visible, and in it the task that is open. */
  looking?: () => { visible: boolean; focused: boolean };
}

const here = () => ({ visible: document.visibilityState === 'visible', focused: document.hasFocus() });

export class News {
  readonly #world: Surroundings;
  #gathered: Notification[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #shown: number | null = null;

  constructor(world: Surroundings) {
    this.#world = world;
  }

  add(item: Notification): void {
    const { visible, focused } = (this.#world.looking ?? here)();
    if (focused && item.task_id !== null && item.task_id === bell.task) {
      this.#world.seeTask(item.task_id);
      return;
    }
    if (!visible) return;
    this.#gathered.push(item);
    this.#timer ??= setTimeout(() => this.#tell(), GATHER_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#gathered = [];
  }

  #tell(): void {
    this.#timer = undefined;
    const items = this.#gathered.splice(0);
    const [first] = items;
    if (!first) return;
    const text = items.length > 1 ? t('inbox.several', { count: items.length }) : this.#world.headline(first);
    if (router.route.page === 'inbox') {
      announce(text);
      return;
    }
    if (this.#shown !== null) toasts.dismiss(this.#shown);
    const number = items.length > 1 ? null : numberOf(first);
    const path = number === null ? paths.inbox : router.taskPath({ project: first.project_id, number });
    this.#shown = toasts.show({
      tone: 'info',
      text,
      action: { label: t(number === null ? 'inbox.to_inbox' : 'card.open'), run: () => router.go(path) },
    });
  }
}
