/** Notification settings while one changes them: shown at once, saved one after the other. */
import { attempt } from '../server/attempt';
import type { Endpoints } from '../server/endpoints';
import type { NotificationSettings } from '../types';
import { type Change, changed } from './preferences';

export class SettingsForm {
  settings = $state.raw<NotificationSettings | null>(null);
  error = $state.raw<unknown>(null);
  saved = $state(false);

  readonly #rest: Pick<Endpoints, 'notifications'>;
  /** What the server has, as far as is known here. */
  #there: NotificationSettings | null = null;
  #unsent: Change[] = [];
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

  /** Shows a change and saves it; where that fails, what the server has is shown again. */
  async change(change: Change): Promise<void> {
    this.#unsent.push(change);
    this.settings = changed(this.settings as NotificationSettings, change);
    this.saved = false;
    if (this.#saving) return;
    this.#saving = true;
    for (let sent = this.#unsent.shift(); sent; sent = this.#unsent.shift()) {
      const body = sent;
      this.saved = await attempt(async () => {
        this.#there = await this.#rest.notifications.saveSettings(body);
      });
      if (!this.saved) this.#unsent = [];
    }
    this.settings = this.#there;
    this.#saving = false;
  }
}
