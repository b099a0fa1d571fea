/**
 * The REST transport: JSON in and out, refusals as `ApiError`, silence as `NetworkError`.
 *
 * It keeps the access token in memory alone, renews it by the refresh cookie (once for everybody who asks
 * meanwhile, and one browser tab at a time), and repeats a change that got no answer under the same
 * Idempotency-Key, so it happens once however often it was sent. It knows no endpoint; endpoints.ts does.
 */

import { newId } from '../ids';
import type { Tokens } from '../types';
import { ApiError, isPassing, NetworkError, type Problem, SignedOutError } from './errors';

const BASE = '/api/v1';
/** A request without an answer for this long is given up; the slowest honest answer is a big board. */
const TIMEOUT_MS = 30_000;
/** Waits between attempts; the last is repeated. */
const BACKOFF_MS = [500, 1_000, 2_000, 4_000, 8_000, 15_000];
/** Tries for a request somebody is watching; after them the error is shown, with a way to try again. */
const WATCHED_TRIES = 3;
/** A token this close to its end is renewed first, so that clocks a little apart do no harm. */
const RENEW_EARLY_MS = 30_000;

export interface Options {
  body?: unknown;
  /** Idempotency-Key of a change; one is made when missing. */
  opId?: string;
  /** Version of the task the change was made against. */
  ifMatch?: number | undefined;
  /** How often it is tried where nothing comes back; 3 when missing. */
  tries?: number;
  /** `none` sends no credentials; `optional` goes on without them where nobody is signed in. */
  auth?: 'required' | 'optional' | 'none';
}

/** What the transport needs of the world; tests pass their own. */
export interface World {
  fetch: typeof fetch;
  /** Waits, or less when the network comes back. */
  pause: (ms: number) => Promise<void>;
  now: () => number;
  /** Runs `work` while no other tab runs under the same name. */
  exclusively: <T>(name: string, work: () => Promise<T>) => Promise<T>;
}

export const browserWorld: World = {
  fetch: (input, init) => fetch(input, init),
  now: () => Date.now(),
  pause: (ms) =>
    new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        removeEventListener('online', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      addEventListener('online', done);
    }),
  // Web Locks need a secure context. Without them two tabs may renew at once, which the server forgives for 10 s.
  exclusively: async (name, work) => (navigator.locks ? await navigator.locks.request(name, work) : await work()),
};

export class Api {
  /** Called with every new set of tokens. */
  onTokens: (tokens: Tokens) => void = () => {};
  /** Called when the session is over; resolves true once somebody has signed in again. */
  onSessionLost: () => Promise<boolean> = async () => false;

  readonly #world: World;
  #access: { token: string; expiresAt: number } | null = null;
  /** Somebody is taken for signed in, though the server has not said so yet. */
  #presumed = false;
  #renewing: Promise<Tokens> | null = null;

  constructor(world: World = browserWorld) {
    this.#world = world;
  }

  get<T>(path: string, options: Options = {}): Promise<T> {
    return this.#authorised<T>('GET', path, options);
  }

  /** A change: POST, PUT, PATCH or DELETE, with an Idempotency-Key, except under /auth, where answers are never kept. */
  change<T>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, options: Options = {}): Promise<T> {
    if (path.startsWith('/auth/')) return this.#authorised<T>(method, path, options);
    return this.#authorised<T>(method, path, { ...options, opId: options.opId ?? newId() });
  }

  /** Registers or signs in; the refresh token stays in a cookie no script can read. */
  async signIn(path: '/auth/login' | '/auth/register', body: object): Promise<Tokens> {
    return this.#accept(await this.#once<Tokens>('POST', path, { body: { ...body, use_cookie: true }, auth: 'none' }));
  }

  /** Ends the session on the server. Throws `NetworkError` when that could not be done, and stays signed in. */
  async signOut(): Promise<void> {
    try {
      if (this.#stale()) await this.renew();
      await this.#once('POST', '/auth/logout', {});
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
    this.forget();
  }

  forget(): void {
    this.#access = null;
    this.#presumed = false;
  }

  /** Somebody was signed in at the last visit: whoever needs a token waits for a new one instead of going without. */
  presume(): void {
    this.#presumed = true;
  }

  /** Gets a fresh access token by the cookie. One request serves everybody who asks while it runs. */
  renew(): Promise<Tokens> {
    this.#renewing ??= this.#world
      .exclusively('timetodo-renew', () => this.#once<Tokens>('POST', '/auth/refresh', { body: {}, auth: 'none' }))
      .then((tokens) => this.#accept(tokens))
      .finally(() => {
        this.#renewing = null;
      });
    return this.#renewing;
  }

  /** An access token that is good now, or null where nobody is signed in. For the socket. */
  async token({ expired = false } = {}): Promise<string | null> {
    if (!this.#access && !this.#presumed) return null;
    if (expired || this.#stale()) await this.#renewOrSignIn();
    return this.#access?.token ?? null;
  }

  #stale(): boolean {
    if (!this.#access) return this.#presumed;
    return this.#world.now() > this.#access.expiresAt - RENEW_EARLY_MS;
  }

  #accept(tokens: Tokens): Tokens {
    this.#presumed = true;
    this.#access = { token: tokens.access_token, expiresAt: this.#world.now() + tokens.expires_in * 1000 };
    this.onTokens(tokens);
    return tokens;
  }

  async #renewOrSignIn(): Promise<void> {
    try {
      await this.renew();
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      if (!(await this.onSessionLost())) throw new SignedOutError();
    }
  }

  async #authorised<T>(method: string, path: string, options: Options): Promise<T> {
    const renews = options.auth !== 'none' && (options.auth !== 'optional' || this.#access !== null || this.#presumed);
    const repeatable = method === 'GET' || options.opId !== undefined;
    for (let attempt = 0, renewed = false; ; attempt++) {
      try {
        if (renews) await this.token();
        return await this.#once<T>(method, path, options);
      } catch (error) {
        if (renews && !renewed && isStale(error)) {
          renewed = true;
          await this.#renewOrSignIn();
        } else if (repeatable && isPassing(error) && attempt + 1 < (options.tries ?? WATCHED_TRIES)) {
          await this.#world.pause(waitBefore(attempt, error));
        } else {
          throw error;
        }
      }
    }
  }

  async #once<T>(method: string, path: string, { body, opId, ifMatch, auth }: Options): Promise<T> {
    const headers: Record<string, string> = { Accept: 'application/json' };
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    if (opId !== undefined) headers['Idempotency-Key'] = opId;
    if (ifMatch !== undefined) headers['If-Match'] = `"${ifMatch}"`;
    if (auth !== 'none' && this.#access) headers.Authorization = `Bearer ${this.#access.token}`;
    let response: Response;
    let text: string;
    try {
      response = await this.#world.fetch(BASE + path, {
        method,
        headers,
        body: body === undefined ? null : JSON.stringify(body),
        credentials: 'same-origin',
        cache: 'no-store',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      text = await response.text();
    } catch (cause) {
      throw new NetworkError(cause);
    }
    if (!response.ok) throw refusal(response, text);
    return (text ? JSON.parse(text) : undefined) as T;
  }
}

/** The token is no good, rather than a password that was asked for. */
const isStale = (error: unknown) =>
  error instanceof ApiError && error.status === 401 && error.code !== 'invalid_credentials';

function refusal(response: Response, text: string): ApiError {
  const seconds = Number(response.headers.get('Retry-After'));
  return new ApiError(response.status, problemIn(text), seconds > 0 ? seconds : undefined);
}

/** The problem in a body; a proxy in front may answer with a page of its own instead. */
function problemIn(text: string): Problem {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Problem) : {};
  } catch {
    return {};
  }
}

/** Milliseconds before the next attempt, `attempt` of which went wrong before: what the server asked for, else longer each time with full jitter. */
export function waitBefore(attempt: number, error: unknown): number {
  if (error instanceof ApiError && error.retryAfter !== undefined) return error.retryAfter * 1000;
  const longest = BACKOFF_MS[Math.min(attempt, BACKOFF_MS.length - 1)] as number;
  return longest * (0.5 + Math.random() / 2);
}
