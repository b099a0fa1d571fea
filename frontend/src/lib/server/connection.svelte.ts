/** How current a board is: live, on its way there, or cut off. Read by the dot in the top bar. */

import type { Id } from '../types';
import type { Live, Message } from './live';

/** `ended`: the server wants no more of it, as when the session is over. */
export type Connection = 'live' | 'catching-up' | 'reconnecting' | 'ended' | 'offline';

export class ConnectionWatch {
  state = $state<Connection>('reconnecting');
  /** Changes still to come while catching up; 0 when unknown. */
  behind = $state(0);

  readonly #live: Live;
  readonly #stops: Array<() => void>;
  /** Position of the log at which the board is current; unknown until the server has answered the join. */
  #head: number | null = null;
  #seq = 0;

  constructor(live: Live, project: Id) {
    this.#live = live;
    const update = () => this.#update();
    const lose = (message: Message) => {
      if (message.project_id !== project) return;
      this.#head = null;
      update();
    };
    this.#stops = [
      live.on('state', () => {
        if (live.state !== 'open') this.#head = null;
        update();
      }),
      live.on('project_joined', (message) => {
        if (message.project_id !== project) return;
        this.#head = message.data.seq;
        update();
      }),
      live.on('resync', lose),
      live.on('project_left', lose),
    ];
    addEventListener('online', update);
    addEventListener('offline', update);
    this.#stops.push(() => {
      removeEventListener('online', update);
      removeEventListener('offline', update);
    });
    update();
  }

  /** The board is at `seq` now. `whole` says that it was just read, which is as current as can be. */
  reached(seq: number, { whole = false } = {}): void {
    this.#seq = seq;
    if (whole && this.#live.state === 'open') this.#head = seq;
    if (this.state !== 'live' || whole) this.#update();
  }

  close(): void {
    for (const stop of this.#stops) stop();
  }

  #update(): void {
    const { state } = this.#live;
    this.behind = this.#head === null ? 0 : Math.max(0, this.#head - this.#seq);
    if (state === 'open') this.state = this.#head !== null && this.behind === 0 ? 'live' : 'catching-up';
    else if (!navigator.onLine) this.state = 'offline';
    else this.state = state === 'closed' ? 'ended' : 'reconnecting';
  }
}
