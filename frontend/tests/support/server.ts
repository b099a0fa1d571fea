/** A stand-in for `fetch`: answers in turn, and remembers what was asked. */
import { Api, type World } from '../../src/lib/server/api';

export interface Asked {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: unknown;
}

type Answer = { status?: number; body?: unknown; headers?: Record<string, string> } | 'silence';
type Handler = (asked: Asked) => Answer | Promise<Answer>;

export class FakeServer {
  readonly asked: Asked[] = [];
  readonly pauses: number[] = [];
  now = 0;
  handler: Handler;

  constructor(handler: Handler) {
    this.handler = handler;
  }

  get world(): World {
    return {
      fetch: async (input, init) => {
        const asked = {
          method: init?.method ?? 'GET',
          path: String(input).replace('/api/v1', ''),
          headers: (init?.headers ?? {}) as Record<string, string>,
          body: init?.body ? JSON.parse(String(init.body)) : undefined,
        };
        this.asked.push(asked);
        const answer = await this.handler(asked);
        if (answer === 'silence') throw new TypeError('failed to fetch');
        const { status = 200, body, headers } = answer;
        return new Response(body === undefined ? null : JSON.stringify(body), { status, headers: headers ?? {} });
      },
      now: () => this.now,
      pause: async (ms) => {
        this.pauses.push(ms);
      },
      exclusively: (_name, work) => work(),
    };
  }

  api(): Api {
    return new Api(this.world);
  }

  paths(method: string): string[] {
    return this.asked.filter((one) => one.method === method).map((one) => one.path);
  }
}

export const problem = (status: number, code: string, extra: object = {}): Answer => ({
  status,
  body: { type: 'about:blank', title: code, status, detail: code, code, request_id: 'r1', ...extra },
});

export const tokens = (access = 'a1', id = 'u1'): Answer => ({
  body: {
    access_token: access,
    token_type: 'bearer',
    expires_in: 900,
    refresh_token: null,
    user: { id, email: 'anna@example.org', name: 'Анна', language: 'ru', time_zone: 'Europe/Moscow' },
  },
});
