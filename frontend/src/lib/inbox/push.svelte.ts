/**
 * Push on this browser: what it allows, the subscription it has, and every device of the person.
 *
 * The browser asks its own question only after ours was answered, for it may be answered once and for all.
 */
import { forget, remember, remembered } from '../page/storage';
import type { Endpoints } from '../server/endpoints';
import { ApiError } from '../server/errors';
import { describeAgent } from '../server/user-agent';
import type { Id, PushDevice } from '../types';

/**
 * `insecure`, `install` and `unsupported` say why there can be none here, `denied` is the person's own word to the browser;
 * `unserved`: the server does not push.
 */
export type PushState = 'looking' | 'unserved' | 'insecure' | 'install' | 'unsupported' | 'denied' | 'off' | 'on';

/** The id this browser has among the devices. */
const OWN = 'push.device';
/** That our offer was answered on this device. */
const OFFERED = 'push.offered';

/** What is needed of the browser; tests pass their own. */
export interface PushWorld {
  secure: boolean;
  agent: string;
  /** What the browser has been told, or null where it knows no notifications. */
  permission: () => NotificationPermission | null;
  ask: () => Promise<NotificationPermission>;
  /** Of this page's service worker; null where there is none, or no push. */
  manager: () => Promise<PushManager | null>;
}

export const pushWorld: PushWorld = {
  secure: globalThis.isSecureContext ?? false,
  agent: navigator.userAgent,
  permission: () => ('Notification' in globalThis ? Notification.permission : null),
  ask: () => Notification.requestPermission(),
  manager: async () => {
    const { serviceWorker } = navigator as Partial<Navigator>;
    const registration = await serviceWorker?.getRegistration();
    if (!registration?.pushManager) return null;
    return (await serviceWorker?.ready)?.pushManager ?? null;
  },
};

export class Push {
  state = $state<PushState>('looking');
  devices = $state.raw<PushDevice[] | null>(null);
  /** The id of this browser among them. */
  own = $state<Id | null>(remembered(OWN));
  #offered = $state(remembered(OFFERED) !== null);

  readonly #rest: Pick<Endpoints, 'push'>;
  readonly #world: PushWorld;

  /** Whether our offer is worth making: push is possible here, off, and was not offered before. */
  readonly offers = $derived.by(() => this.state === 'off' && !this.#offered);

  constructor(rest: Pick<Endpoints, 'push'>, world: PushWorld = pushWorld) {
    this.#rest = rest;
    this.#world = world;
  }

  /** Finds out how it is on this browser. A subscription that the browser has lost is off. Throws without a network. */
  async look(): Promise<void> {
    if (!(await this.#isServed())) {
      this.state = 'unserved';
      return;
    }
    const { secure, agent, permission } = this.#world;
    const manager = secure ? await this.#world.manager().catch(() => null) : null;
    if (!secure) this.state = 'insecure';
    else if (!manager || permission() === null) this.state = /iPhone|iPad/.test(agent) ? 'install' : 'unsupported';
    else if (permission() === 'denied') this.state = 'denied';
    else this.state = this.own !== null && (await manager.getSubscription()) !== null ? 'on' : 'off';
  }

  /** Of this browser there may be an old one, too: its service worker has subscribed again when the browser asked it to. */
  async loadDevices(): Promise<void> {
    this.devices = await this.#rest.push.devices();
    if (this.own !== null) this.#setOwn(this.devices.findLast(({ current }) => current)?.id ?? null);
  }

  /** Asks by the browser's own question, then subscribes. Throws where the server or the push service refuses. */
  async turnOn(): Promise<void> {
    this.answerOffer();
    const permission = await this.#world.ask();
    if (permission !== 'granted') {
      this.state = permission === 'denied' ? 'denied' : 'off';
      return;
    }
    const manager = await this.#world.manager();
    if (!manager) return this.look();
    const { public_key } = await this.#rest.push.key();
    const { endpoint, keys } = (await subscribe(manager, public_key)).toJSON();
    const device = await this.#rest.push.add({ endpoint, keys, label: describeAgent(this.#world.agent) });
    this.#setOwn(device.id);
    this.devices = [device, ...(this.devices ?? []).filter(({ id }) => id !== device.id)];
    this.state = 'on';
  }

  /** Takes a device away; of this one the browser's subscription, too. */
  async remove(id: Id): Promise<void> {
    await this.#rest.push.remove(id);
    this.devices = this.devices?.filter((device) => device.id !== id) ?? null;
    if (id !== this.own) return;
    this.#setOwn(null);
    await (await (await this.#world.manager())?.getSubscription())?.unsubscribe();
    this.state = 'off';
  }

  test(id: Id): Promise<void> {
    return this.#rest.push.test(id);
  }

  /** It is not made again on this device. */
  answerOffer(): void {
    this.#offered = true;
    remember(OFFERED, 'yes');
  }

  async #isServed(): Promise<boolean> {
    try {
      await this.#rest.push.key();
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return false;
      throw error;
    }
  }

  #setOwn(id: Id | null): void {
    this.own = id;
    if (id === null) forget(OWN);
    else remember(OWN, id);
  }
}

/** A subscription made with another key than the server's, as after a restored backup, is of no use. */
async function subscribe(manager: PushManager, key: string): Promise<PushSubscription> {
  const options = { userVisibleOnly: true, applicationServerKey: key };
  try {
    return await manager.subscribe(options);
  } catch (error) {
    const old = await manager.getSubscription();
    if (!old) throw error;
    await old.unsubscribe();
    return manager.subscribe(options);
  }
}
