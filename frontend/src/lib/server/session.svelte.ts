/**
 * Who is signed in on this page, and what hangs on it: the REST calls, the socket, and what this device keeps.
 *
 * Who was here last is taken to be here still, so that the page is there before the server answers, or without it;
 * a server that says otherwise ends that. A session that ends while somebody works is not a page lost: `expired`
 * asks for the password over the page, and whatever was waiting for an answer goes on after it.
 */

import { Device } from '../local/device';
import { openDisk } from '../local/disk';
import { paths, router } from '../page/router.svelte';
import { forget, remember, remembered, storageWorks } from '../page/storage';
import type { Id, ServerInfo, Tokens, User } from '../types';
import { i18n } from '../words/i18n.svelte';
import { Api, browserWorld } from './api';
import { type Endpoints, endpoints } from './endpoints';
import { ApiError } from './errors';
import { reviveAfterSignIn, startClient } from './live';

export type SessionPhase = 'starting' | 'unreachable' | 'out' | 'in';

/** Wait between attempts to reach the server at the start. */
const RETRY_MS = 2_000;
/** Where this device remembers who was here. */
const KNOWN = 'session';
/** That somebody signed in here and has not signed out: there is a cookie to ask with. */
const SIGNED_IN = 'signed-in';

class Session {
  phase = $state<SessionPhase>('starting');
  user = $state.raw<User | null>(null);
  server = $state.raw<ServerInfo | null>(null);
  /** The session is over; the sign-in form stands over the page. */
  expired = $state(false);

  readonly api = new Api();
  readonly rest: Endpoints = endpoints(this.api);
  /** What this device has for whoever is here. */
  device: Device;

  readonly #disk = openDisk();
  readonly #client = startClient(this.api);
  readonly #tabs = 'BroadcastChannel' in globalThis ? new BroadcastChannel('timetodo') : null;
  #back: Promise<boolean> | null = null;
  #resume: (signedIn: boolean) => void = () => {};
  /** The server has confirmed who is here. */
  #confirmed = false;
  /** A tab of this browser is signing out. */
  #leaving = false;

  constructor() {
    this.device = this.#openDevice(null);
    this.api.onTokens = (tokens) => this.#enter(tokens);
    this.api.onSessionLost = () => this.#askAgain();
    this.#tabs?.addEventListener('message', ({ data }) => {
      if (data === 'leaving' || data === 'staying') this.#leaving = data === 'leaving';
      if (data === 'signed-out') this.#leave();
      if (data === 'signed-in' && this.phase === 'out') location.reload();
      if (data === 'signed-in' && this.expired) this.api.renew().catch(() => {});
    });
  }

  get live() {
    return this.device.live;
  }

  /** Finds out who is here, by the cookie an earlier visit left. Tries until the server has answered. */
  async start(): Promise<void> {
    this.#recall();
    while (!this.#confirmed) {
      try {
        const asks = mayHaveSession();
        await Promise.all([this.#askServer(), asks ? this.api.renew() : null]);
        if (!asks) return this.#refused();
      } catch (error) {
        if (error instanceof ApiError && this.#isRefusal(error)) return this.#refused();
        if (this.phase !== 'in') this.phase = 'unreachable';
        await browserWorld.pause(RETRY_MS);
      }
    }
  }

  async signIn(email: string, password: string): Promise<void> {
    await this.api.signIn('/auth/login', { email, password });
    this.#tabs?.postMessage('signed-in');
  }

  async register(fields: { email: string; password: string; name: string; code?: string; invitation?: string }) {
    const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
    await this.api.signIn('/auth/register', { ...fields, language: i18n.language, time_zone: timeZone });
    this.server = await this.rest.server().catch(() => this.server);
    this.#tabs?.postMessage('signed-in');
  }

  async signOut(): Promise<void> {
    // Every tab is told first: to its socket the end of the session would look like a mishap.
    this.#setLeaving(true);
    try {
      await this.api.signOut();
    } catch (error) {
      this.#setLeaving(false);
      throw error;
    }
    this.#tabs?.postMessage('signed-out');
    this.#leave();
  }

  /** From the form over the page: the person would rather not sign in again. */
  giveUp(): void {
    this.#leave();
  }

  update(user: User): void {
    this.user = user;
    i18n.language = user.language;
    this.#rememberMe();
  }

  #setLeaving(leaving: boolean): void {
    this.#leaving = leaving;
    this.#tabs?.postMessage(leaving ? 'leaving' : 'staying');
  }

  /** The page as whoever was here last left it. */
  #recall(): void {
    const known = parsed<{ user: User; server: ServerInfo | null }>(remembered(KNOWN));
    if (!known) return;
    this.server = known.server;
    this.api.presume();
    this.#welcome(known.user);
  }

  async #askServer(): Promise<void> {
    this.server = await this.rest.server();
    this.#rememberMe();
  }

  #rememberMe(): void {
    if (this.user) remember(KNOWN, JSON.stringify({ user: this.user, server: this.server }));
  }

  /** Whether nobody is signed in. Of somebody who was, only the server's own word counts, not that of a proxy. */
  #isRefusal({ status }: ApiError): boolean {
    return this.user ? status === 401 : status < 500 && status !== 429;
  }

  /** Nobody is signed in here, or no more. */
  #refused(): void {
    forget(SIGNED_IN);
    if (this.user) this.#leave();
    else this.phase = 'out';
  }

  #enter({ user }: Tokens): void {
    remember(SIGNED_IN, '');
    if (this.user && this.user.id !== user.id) {
      // Another account than the page was drawn for: nothing of the old one may stay.
      void this.#forgetDevice().then(() => location.assign('/'));
      return;
    }
    this.#confirmed = true;
    this.#welcome(user);
    this.#resume(true);
    this.#back = null;
  }

  #welcome(user: User): void {
    if (this.device.user !== user.id) {
      // A socket that was opened for nobody would stay nobody's.
      this.device.close();
      this.device = this.#openDevice(user.id);
    }
    this.update(user);
    this.phase = 'in';
    this.expired = false;
  }

  #openDevice(user: Id | null): Device {
    const device = new Device({
      user,
      disk: this.#disk,
      rest: this.rest,
      client: this.#client,
      world: { ...browserWorld, offline: () => !navigator.onLine },
    });
    reviveAfterSignIn(device.live, this.api, {
      expected: () => this.#leaving,
      onSignedOut: () => void device.copies?.forgetAll(),
    });
    device.start();
    return device;
  }

  /** Copies go with the session; what a person wrote stays for when they come back. */
  #forgetDevice(): Promise<void> {
    forget(KNOWN);
    void endPush();
    return this.device.copies?.forgetAll() ?? Promise.resolve();
  }

  #leave(): void {
    forget(SIGNED_IN);
    this.api.forget();
    this.#leaving = false;
    void this.#forgetDevice();
    this.device.close();
    // Away from the page first, or it would be asked for once more in nobody's name.
    router.go(paths.signIn());
    this.user = null;
    this.device = this.#openDevice(null);
    this.phase = 'out';
    this.expired = false;
    this.#confirmed = true;
    this.#resume(false);
    this.#back = null;
  }

  #askAgain(): Promise<boolean> {
    // Not yet confirmed: it was over before this page began, and `start` says so.
    if (this.phase !== 'in' || !this.#confirmed) return Promise.resolve(false);
    this.expired = true;
    this.#back ??= new Promise((resolve) => {
      this.#resume = resolve;
    });
    return this.#back;
  }
}

/** Nothing of one person's is pushed to the next at this browser. The server learns it from the push service. */
async function endPush(): Promise<void> {
  forget('push.device');
  const registration = await (navigator as Partial<Navigator>).serviceWorker?.getRegistration();
  const subscription = await registration?.pushManager?.getSubscription();
  await subscription?.unsubscribe();
}

/** Who was never here need not be asked about. Where nothing can be remembered, anybody may have been. */
const mayHaveSession = () => remembered(SIGNED_IN) !== null || remembered(KNOWN) !== null || !storageWorks();

function parsed<T>(json: string | null): T | null {
  try {
    return JSON.parse(json ?? 'null') as T | null;
  } catch {
    return null;
  }
}

export const session = new Session();
