/** Notification settings while one changes them: shown at once, saved one after the other, the last one for certain. */
import { attempt } from '../server/attempt';
import type { Endpoints } from '../server/endpoints';
import type { NotificationSettings } from '../types';

export class SettingsForm {
  settings = $state.raw<NotificationSettings | null>(null);
  error = $state.raw<unknown>(null);
  saved = $state(false);

  readonly #rest: Pick<Endpoints, 'notifications'>;
  /** What the server has, as far as is known here. */
  #there: NotificationSettings | null = null;
  /** What is to be saved: no more than was changed here, as the rest may have been changed elsewhere. */
  #unsent: Partial<NotificationSettings> = {};
  #saving = false;

  constructor(rest: Pick<Endpoints, 'notifications'>) {
    this.#rest = rest;
  }

  /**
   * Reads them; again when the page is looked at again: they may have been changed elsewhere, as by the link in a mail.
   * What is changed here meanwhile stays.
   */
  async load(): Promise<void> {
    const shown = this.settings;
    this.error = null;
    await attempt(
      async () => {
        const read = await this.#rest.notifications.settings();
        if (this.#saving || this.settings !== shown) return;
        this.#there = read;
        this.settings = read;
      },
      (error) => (this.error = shown ? null : error),
    );
  }

  /** Shows and saves them; where that fails, what the server has is shown again. */
  async change(settings: NotificationSettings): Promise<void> {
    this.#unsent = { ...this.#unsent, ...changedIn(settings, this.settings) };
    this.settings = settings;
    this.saved = false;
    if (this.#saving) return;
    this.#saving = true;
    while (Object.keys(this.#unsent).length > 0) {
      const sent = this.#unsent;
      this.#unsent = {};
      const done = await attempt(() => this.#rest.notifications.saveSettings(sent));
      if (done) this.#there = { ...(this.#there as NotificationSettings), ...sent };
      else {
        this.#unsent = {};
        this.settings = this.#there;
      }
      this.saved = done;
    }
    this.#saving = false;
  }
}

const changedIn = (now: NotificationSettings, before: NotificationSettings | null): Partial<NotificationSettings> =>
  Object.fromEntries(
    Object.entries(now).filter(([key, value]) => value !== before?.[key as keyof NotificationSettings]),
  );
