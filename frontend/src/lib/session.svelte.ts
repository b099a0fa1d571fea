/**
 * Who is signed in on this page, and the two things that hang on it: the REST calls and the socket.
 *
 * A session that ends while somebody works is not a page lost: `expired` asks for the password over the page, and
 * whatever was waiting for an answer goes on after it.
 */
import { Api } from './api';
import { type Endpoints, endpoints } from './endpoints';
import { ApiError } from './errors';
import { i18n } from './i18n.svelte';
import { connect, disconnect, type Live, startLive } from './live';
import { paths, router } from './router.svelte';
import type { ServerInfo, Tokens, User } from './types';

export type SessionPhase = 'starting' | 'unreachable' | 'out' | 'in';

/** Wait between attempts to reach the server at the start. */
const RETRY_MS = 2_000;

class Session {
  phase = $state<SessionPhase>('starting');
  user = $state.raw<User | null>(null);
  server = $state.raw<ServerInfo | null>(null);
  /** The session is over; the sign-in form stands over the page. */
  expired = $state(false);

  readonly api = new Api();
  readonly rest: Endpoints = endpoints(this.api);
  readonly live: Live = startLive(this.api);

  readonly #tabs = 'BroadcastChannel' in globalThis ? new BroadcastChannel('timetodo') : null;
  #back: Promise<boolean> | null = null;
  #resume: (signedIn: boolean) => void = () => {};

  constructor() {
    this.api.onTokens = (tokens) => this.#enter(tokens);
    this.api.onSessionLost = () => this.#askAgain();
    this.#tabs?.addEventListener('message', ({ data }) => {
      if (data === 'signed-out') this.#leave();
      if (data === 'signed-in' && this.phase === 'out') location.reload();
      if (data === 'signed-in' && this.expired) this.api.renew().catch(() => {});
    });
  }

  /** Finds out who is here, by the cookie an earlier visit left. Tries until the server has answered. */
  async start(): Promise<void> {
    for (;;) {
      try {
        this.server = await this.rest.server();
        await this.api.renew();
        break;
      } catch (error) {
        if (error instanceof ApiError && error.status < 500 && error.status !== 429) {
          this.phase = 'out';
          break;
        }
        this.phase = 'unreachable';
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
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
    // The sockets first, here and in the other tabs: to them the end of the session would look like a mishap.
    this.#tabs?.postMessage('signed-out');
    disconnect();
    try {
      await this.api.signOut();
    } catch (error) {
      connect();
      throw error;
    }
    this.#leave();
  }

  /** From the form over the page: the person would rather not sign in again. */
  giveUp(): void {
    this.#leave();
  }

  update(user: User): void {
    this.user = user;
    i18n.language = user.language;
  }

  #enter({ user }: Tokens): void {
    if (this.user && this.user.id !== user.id) {
      // Another account than the page was drawn for: nothing of the old one may stay.
      location.assign('/');
      return;
    }
    const returning = this.phase === 'out';
    this.update(user);
    this.phase = 'in';
    this.expired = false;
    this.#resume(true);
    this.#back = null;
    // A socket that was opened for nobody would stay nobody's; the next board opens one for this person.
    if (returning) disconnect();
  }

  #leave(): void {
    this.api.forget();
    disconnect();
    // Away from the page first, or it would be asked for once more in nobody's name.
    router.go(paths.signIn());
    this.user = null;
    this.phase = 'out';
    this.expired = false;
    this.#resume(false);
    this.#back = null;
  }

  #askAgain(): Promise<boolean> {
    if (this.phase !== 'in') return Promise.resolve(false);
    this.expired = true;
    this.#back ??= new Promise((resolve) => {
      this.#resume = resolve;
    });
    return this.#back;
  }
}

export const session = new Session();
