import { describe, expect, test, vi } from 'vitest';
import { ApiError, NetworkError, SignedOutError } from '../src/lib/server/errors';
import { type Asked, FakeServer, problem, tokens } from './support/server';

const signIn = (path: string) => path === '/auth/login';

async function signedIn(handler: (asked: Asked) => ReturnType<FakeServer['handler']>) {
  const server = new FakeServer((asked) => (signIn(asked.path) ? tokens() : handler(asked)));
  const api = server.api();
  await api.signIn('/auth/login', { email: 'a', password: 'b' });
  server.asked.length = 0;
  return { server, api };
}

describe('signing in', () => {
  test('asks for the refresh token as a cookie and keeps the access token out of storage', async () => {
    const server = new FakeServer(() => tokens('secret'));
    await server.api().signIn('/auth/login', { email: 'a', password: 'b' });
    expect(server.asked[0]?.body).toEqual({ email: 'a', password: 'b', use_cookie: true });
    expect(JSON.stringify({ ...localStorage, ...sessionStorage })).not.toContain('secret');
  });

  test('a wrong password is refused, not renewed', async () => {
    const server = new FakeServer(() => problem(401, 'invalid_credentials'));
    await expect(server.api().signIn('/auth/login', {})).rejects.toMatchObject({ code: 'invalid_credentials' });
    expect(server.asked).toHaveLength(1);
  });
});

describe('renewing', () => {
  test('many calls that meet an expired token renew it once and all succeed', async () => {
    const { server, api } = await signedIn(({ path, headers }) => {
      if (path === '/auth/refresh') return tokens('a2');
      return headers.Authorization === 'Bearer a2' ? { body: path } : problem(401, 'token_expired');
    });
    const answers = await Promise.all(['/x', '/y', '/z'].map((path) => api.get(path)));
    expect(answers).toEqual(['/x', '/y', '/z']);
    expect(server.paths('POST')).toEqual(['/auth/refresh']);
  });

  test('a token about to end is renewed before it is used', async () => {
    const { server, api } = await signedIn(({ path }) => (path === '/auth/refresh' ? tokens('a2') : { body: 1 }));
    server.now = 880_000;
    await api.get('/x');
    expect(server.asked.map((one) => one.path)).toEqual(['/auth/refresh', '/x']);
  });

  test('one tab at a time: the renewal runs under a lock', async () => {
    const server = new FakeServer(() => tokens());
    const exclusively = vi.fn((_name: string, work: () => Promise<unknown>) => work());
    const { Api } = await import('../src/lib/server/api');
    await new Api({ ...server.world, exclusively: exclusively as never }).renew();
    expect(exclusively).toHaveBeenCalledExactlyOnceWith('timetodo-renew', expect.any(Function));
  });

  test('a wrong present password is no reason to renew', async () => {
    const { server, api } = await signedIn(() => problem(401, 'invalid_credentials'));
    await expect(api.change('POST', '/auth/password', {})).rejects.toMatchObject({ code: 'invalid_credentials' });
    expect(server.paths('POST')).toEqual(['/auth/password']);
  });

  test('a session that is over asks for the password, and the call goes on after it', async () => {
    let over = true;
    const { api } = await signedIn(({ path }) => {
      if (path === '/auth/refresh') return problem(401, 'unauthorized');
      return over ? problem(401, 'unauthorized') : { body: 'done' };
    });
    api.onSessionLost = async () => {
      over = false;
      return true;
    };
    expect(await api.get('/x')).toBe('done');
  });

  test('who does not sign in again is signed out', async () => {
    const { api } = await signedIn(() => problem(401, 'unauthorized'));
    api.onSessionLost = async () => false;
    await expect(api.get('/x')).rejects.toBeInstanceOf(SignedOutError);
  });

  test('a server that does not answer the renewal does not end the session', async () => {
    const { server, api } = await signedIn(() => 'silence');
    api.onSessionLost = vi.fn();
    server.now = 900_000;
    await expect(api.get('/x')).rejects.toBeInstanceOf(NetworkError);
    expect(api.onSessionLost).not.toHaveBeenCalled();
  });

  test('a visitor without a session reads what is public', async () => {
    const server = new FakeServer(() => ({ body: 'board' }));
    expect(await server.api().get('/projects/p/board', { auth: 'optional' })).toBe('board');
    expect(server.asked).toHaveLength(1);
    expect(server.asked[0]?.headers.Authorization).toBeUndefined();
  });
});

describe('changes', () => {
  test('are repeated under the same Idempotency-Key as often as asked', async () => {
    let left = 4;
    const { server, api } = await signedIn(() => (left-- > 0 ? 'silence' : { status: 201, body: { id: 1 } }));
    const made = await api.change('POST', '/tasks', { body: { title: 'x' }, opId: 'op-1', tries: 9 });
    expect(made).toEqual({ id: 1 });
    expect(server.asked.map((one) => one.headers['Idempotency-Key'])).toEqual(Array(5).fill('op-1'));
    expect(server.pauses).toHaveLength(4);
  });

  test('wait longer each time, up to a limit', async () => {
    let left = 9;
    const { server, api } = await signedIn(() => (left-- > 0 ? 'silence' : {}));
    await api.change('POST', '/tasks', { tries: 99 });
    const [first, last] = [server.pauses[0] as number, server.pauses.at(-1) as number];
    expect(first).toBeLessThanOrEqual(500);
    expect(last).toBeGreaterThan(5_000);
    expect(last).toBeLessThanOrEqual(15_000);
  });

  test('that somebody waits for end in an error after three tries', async () => {
    const { server, api } = await signedIn(() => 'silence');
    await expect(api.change('PATCH', '/projects/p', {})).rejects.toBeInstanceOf(NetworkError);
    expect(server.asked).toHaveLength(3);
    expect(new Set(server.asked.map((one) => one.headers['Idempotency-Key'])).size).toBe(1);
  });

  test('each have a key of their own', async () => {
    const { server, api } = await signedIn(() => ({}));
    await api.change('POST', '/a');
    await api.change('POST', '/a');
    const keys = server.asked.map((one) => one.headers['Idempotency-Key']);
    expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(keys[0]).not.toBe(keys[1]);
  });

  test('of credentials carry no key and are never sent twice', async () => {
    const { server, api } = await signedIn(() => 'silence');
    await expect(api.change('POST', '/auth/password', { body: {} })).rejects.toBeInstanceOf(NetworkError);
    expect(server.asked).toHaveLength(1);
    expect(server.asked[0]?.headers['Idempotency-Key']).toBeUndefined();
  });

  test('name the version they were made against', async () => {
    const { server, api } = await signedIn(() => ({}));
    await api.change('PATCH', '/tasks/t', { ifMatch: 7 });
    expect(server.asked[0]?.headers['If-Match']).toBe('"7"');
  });

  test('wait as long as a busy server asks', async () => {
    let busy = true;
    const { server, api } = await signedIn(() => {
      if (!busy) return {};
      busy = false;
      return { ...(problem(429, 'rate_limited') as object), headers: { 'Retry-After': '7' } };
    });
    await api.change('POST', '/a');
    expect(server.pauses).toEqual([7_000]);
  });

  test('that are refused are not repeated, and tell why', async () => {
    const fields = [{ field: 'title', message: 'too long', code: 'string_too_long' }];
    const { server, api } = await signedIn(() => problem(422, 'validation_error', { errors: fields }));
    const error = await api.change('POST', '/tasks', { tries: 9 }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 422, code: 'validation_error', requestId: 'r1', fields });
    expect(server.asked).toHaveLength(1);
  });
});

test('an answer that is not ours, such as a proxy page, is an error with its status', async () => {
  const server = new FakeServer(() => ({ status: 404, body: '<html>' }));
  await expect(server.api().get('/x')).rejects.toMatchObject({ status: 404, code: 'unknown' });
});

describe('signing out', () => {
  test('ends the session on the server', async () => {
    const { server, api } = await signedIn(() => ({ status: 204 }));
    await api.signOut();
    expect(server.paths('POST')).toEqual(['/auth/logout']);
    expect(await api.token()).toBeNull();
  });

  test('fails, and stays signed in, when the server was not reached', async () => {
    const { api } = await signedIn(() => 'silence');
    await expect(api.signOut()).rejects.toBeInstanceOf(NetworkError);
    expect(await api.token()).toBe('a1');
  });
});
