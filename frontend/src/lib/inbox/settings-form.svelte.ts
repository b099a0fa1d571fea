/** Notification settings while one changes them: shown at once, saved one after the other, the last one for certain. */
import { attempt } from '../server/attempt';
import type { Endpoints } from '../server/endpoints';
import type { NotificationSettings } from '../types';

export class SettingsForm {
  settings = $state.raw<NotificationSettings | null>(null);
  error = $state.raw<unknown>(null);
  saved = $state(false);

  readonly #rest: Pick<Endpoints, 'notifications'>;
  /** What the server has. */
  #there: NotificationSettings | null = null;
  #saving = false;

  constructor(rest: Pick<Endpoints, 'notifications'>) {
    this.#rest = rest;
  }

  async load(): Promise<void> {
    this.error = null;
    await attempt(
      async () => {
        this.#there = await this.#rest.notifications.settings();
        this.settings = this.#there;
      },
      (error) => (this.error = error),
    );
  }

  /** Shows and saves them; where that fails, what the server has is shown again. */
  async change(settings: NotificationSettings): Promise<void> {
    this.settings = settings;
    this.saved = false;
    if (this.#saving) return;
    this.#saving = true;
    while (this.settings !== this.#there) {
      const sent: NotificationSettings = this.settings;
      const done = await attempt(() => this.#rest.notifications.saveSettings(sent));
      if (done) this.#there = sent;
      else this.settings = this.#there as NotificationSettings;
      this.saved = done;
    }
    this.#saving = false;
  }
}
