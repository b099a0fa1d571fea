/**
 * What this browser has for one person: copies, outbox, and the connection, each shared by all its tabs.
 *
 * Every tab makes one. The tab that leads also has the hub and the sender; the others ask and are told by letters.
 */
import type { Endpoints } from '../server/endpoints';
import type { Id } from '../types';
import { Copies } from './copies';
import type { Disk } from './disk';
import { type Ask, Hub, type SharedClient, type Told } from './hub';
import { Outbox, type OutboxNews } from './outbox';
import { Sender, type SenderWorld } from './sender';
import { SharedLive } from './shared-live';
import { type Letter, Tabs, type TabWorld } from './tabs';

/** What boards need of it. */
export type DeviceParts = Pick<Device, 'copies' | 'outbox'>;

export interface DeviceSurroundings {
  /** Null: nobody is signed in. Nothing is kept for nobody. */
  user: Id | null;
  disk: Disk;
  rest: Endpoints;
  client: SharedClient;
  world: SenderWorld;
  tabs?: TabWorld | undefined;
}

export class Device {
  readonly user: Id | null;
  readonly copies: Copies | null;
  readonly outbox: Outbox | null;
  readonly live = new SharedLive();

  readonly #client: SharedClient;
  readonly #tabs: Tabs;
  readonly #sender: Sender | null;
  readonly #stops: Array<() => void> = [];
  #hub: Hub | null = null;

  constructor({ user, disk, rest, client, world, tabs }: DeviceSurroundings) {
    this.user = user;
    this.#client = client;
    this.#tabs = new Tabs(`timetodo.${user ?? 'nobody'}`, tabs);
    this.copies = user ? new Copies(disk, user) : null;
    this.outbox = user ? new Outbox(disk, user) : null;
    this.#sender = this.outbox && new Sender(this.outbox, rest, world);
    this.live.ask = (ask) => {
      if (this.#hub) this.#hub.receive(this.#tabs.id, ask);
      else this.#tabs.post({ ask });
    };
  }

  start(): void {
    this.#tabs.onLead = (leading) => this.#lead(leading);
    this.#tabs.onLeader = () => this.live.introduce();
    this.#tabs.onGone = (tab) => this.#hub?.gone(tab);
    this.#tabs.onLetter = (letter) => this.#read(letter);
    if (this.outbox) {
      this.outbox.tell = (news) => this.#tabs.post({ news });
      this.outbox.wake = () => {
        this.#sender?.wake();
        this.#tabs.probe();
      };
    }
    this.#stops.push(this.live.on('state', () => this.live.state === 'open' && this.#sender?.hurry()));
    const probe = () => this.#tabs.probe();
    for (const [target, name] of [
      [document, 'visibilitychange'],
      [globalThis, 'pageshow'],
      [globalThis, 'focus'],
    ] as const) {
      target.addEventListener(name, probe);
      this.#stops.push(() => target.removeEventListener(name, probe));
    }
    this.#tabs.start();
  }

  /** Ends this tab's part. What waits in the outbox stays on the disk. */
  close(): void {
    for (const stop of this.#stops.splice(0)) stop();
    this.#lead(false);
    this.#tabs.close();
  }

  #lead(leading: boolean): void {
    if (leading) {
      this.#hub = new Hub(this.#client, (told, to) => this.#tell(told, to));
      this.#sender?.start();
    } else {
      this.#sender?.stop();
      this.#hub?.close();
      this.#hub = null;
    }
  }

  #tell(told: Told, to: string | null): void {
    if (to === null || to === this.#tabs.id) this.live.hear(told);
    if (to !== this.#tabs.id && !this.#tabs.alone) this.#tabs.post({ told }, to);
  }

  #read({ from, body }: Letter): void {
    const letter = body as { ask?: Ask; told?: Told; news?: OutboxNews };
    if (letter.ask) this.#hub?.receive(from, letter.ask);
    if (letter.told && !this.#hub) this.live.hear(letter.told);
    if (letter.news) this.outbox?.hear(letter.news);
  }
}
