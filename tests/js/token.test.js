import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connected, dialling, newClient } from './support/client.js';
import { settle } from './support/platform.js';

const T0 = Date.parse('2026-11-22T10:00:00.000Z');
const time = (ms) => new Date(T0 + ms).toISOString();

test('the token travels as a sub-protocol and in no address', async () => {
  const { platform } = await dialling({ token: 'jwt' });
  assert.deepEqual(platform.socket.protocols, ['timetodo.v1', 'bearer.jwt']);
  assert.ok(!platform.socket.url.includes('jwt'));
});

for (const [name, token] of [
  ['no token', undefined],
  ['null', null],
  ['a function that answers null', () => null],
  ['a function that promises null', async () => null],
]) {
  test(`${name} connects without signing in`, async () => {
    const { platform } = await dialling({ token });
    assert.deepEqual(platform.socket.protocols, ['timetodo.v1']);
  });
}

test('a token function is asked before every dial', async () => {
  let asked = 0;
  const { platform } = await dialling({ token: async () => `jwt${++asked}` });
  platform.socket.drop();
  await platform.advance(1_000);
  assert.deepEqual(
    platform.sockets.map(({ protocols }) => protocols[1]),
    ['bearer.jwt1', 'bearer.jwt2'],
  );
});

for (const [name, fail] of [
  ['rejects', () => Promise.reject(new Error('offline'))],
  [
    'throws',
    () => {
      throw new Error('offline');
    },
  ],
]) {
  test(`a token function that ${name} is told in plain words and asked again, backing off`, async () => {
    let asked = 0;
    const token = () => (++asked < 3 ? fail() : 'jwt');
    const { client, platform } = await dialling({ token });
    assert.equal(client.state, 'waiting');
    assert.match(platform.complaints[0], /look at url and token: Error: offline/);
    await platform.advance(2_000);
    assert.equal(asked, 3);
    assert.deepEqual(platform.socket.protocols, ['timetodo.v1', 'bearer.jwt']);
  });
}

test('a token function that never answers is asked again after 10 s', async () => {
  let asked = 0;
  const token = () => (++asked === 1 ? new Promise(() => {}) : 'jwt');
  const { platform } = await dialling({ token });
  await platform.advance(10_001);
  assert.equal(asked, 2);
  assert.equal(platform.sockets.length, 1);
});

test('4419 asks for a new token, saying that the last has expired, and dials again at once', async () => {
  const asked = [];
  const { platform } = await connected({ token: (about) => asked.push(about) && 'jwt' });
  platform.chance = 1;
  platform.socket.drop(4419, 'token expired');
  await platform.advance(0);
  assert.deepEqual(asked, [{ expired: false }, { expired: true }]);
  assert.equal(platform.sockets.length, 2);
});

test('expired is said until a token was given, not only once', async () => {
  const asked = [];
  const token = ({ expired }) => {
    asked.push(expired);
    if (asked.length === 2) throw new Error('offline');
    return 'jwt';
  };
  const { platform } = await connected({ token });
  platform.socket.drop(4419);
  await platform.advance(1_000);
  platform.socket.drop(1006);
  await platform.advance(2_000);
  assert.deepEqual(asked, [false, true, true, false]);
});

test('4419 again and again backs off like any other failure', async () => {
  const { platform } = await connected({ token: () => 'always the same' });
  platform.chance = 1;
  const dialledAt = [];
  for (let n = 0; n < 6; n++) {
    platform.socket.drop(4419);
    await platform.nextDial();
    dialledAt.push(platform.now);
  }
  assert.deepEqual(dialledAt, [0, 1_000, 3_000, 7_000, 15_000, 31_000]);
});

test('4419 with a token that is no function stops: the same token cannot become valid', async () => {
  const { client, platform } = await connected({ token: 'jwt' });
  platform.socket.drop(4419, 'token expired');
  await platform.advance(60_000);
  assert.equal(client.state, 'closed');
  assert.equal(platform.sockets.length, 1);
  assert.match(platform.complaints[0], /stopped \(4419 token expired\)/);
});

test('the token is renewed on the open connection a minute before it expires', async () => {
  const asked = [];
  const token = (about) => asked.push(about) && `jwt${asked.length}`;
  const { platform } = await connected({ token }, { server_time: time(0), token_expires_at: time(900_000) });
  await beat(platform, 839_999);
  assert.equal(asked.length, 1);
  await platform.advance(1);
  assert.deepEqual(asked[1], { expired: true });
  assert.deepEqual(platform.socket.ofType('authenticate'), [{ id: 1, type: 'authenticate', token: 'jwt2' }]);
  assert.equal(platform.sockets.length, 1);
});

test("an authenticated token is renewed in its turn, by the server's clock", async () => {
  const { platform } = await connected(
    { token: () => 'jwt' },
    { server_time: time(0), token_expires_at: time(900_000) },
  );
  await beat(platform, 840_000);
  platform.socket.receive({ id: 1, type: 'authenticated', data: { token_expires_at: time(840_000 + 900_000) } });
  await beat(platform, 839_999);
  assert.equal(platform.socket.ofType('authenticate').length, 1);
  await platform.advance(1);
  assert.equal(platform.socket.ofType('authenticate').length, 2);
});

test('a token function that fails while renewing is asked again 10 s later', async () => {
  let asked = 0;
  const token = () => {
    if (++asked === 2) throw new Error('offline');
    return 'jwt';
  };
  const { platform } = await connected({ token }, { server_time: time(0), token_expires_at: time(90_000) });
  await beat(platform, 30_000);
  assert.equal(platform.socket.ofType('authenticate').length, 0);
  await beat(platform, 10_000);
  assert.equal(platform.socket.ofType('authenticate').length, 1);
});

test('a new token that expires within the minute is not renewed in a hot loop', async () => {
  const { platform } = await connected({ token: () => 'jwt' }, { server_time: time(0), token_expires_at: time(1_000) });
  await platform.advance(9_999);
  assert.equal(platform.socket.ofType('authenticate').length, 0);
});

test('a token that lives for years is not renewed at once by a timer that overflows', async () => {
  const { platform } = await connected(
    { token: () => 'jwt' },
    { server_time: time(0), token_expires_at: time(365 * 86_400_000) },
  );
  assert.ok(platform.longest <= 2 ** 31 - 1);
});

test('a token asked for on a connection that is gone is not used on the next', async () => {
  let give;
  let asked = 0;
  const token = () => (++asked === 2 ? new Promise((resolve) => (give = resolve)) : 'jwt');
  const { platform } = await connected({ token }, { server_time: time(0), token_expires_at: time(90_000) });
  await beat(platform, 30_000);
  platform.socket.drop();
  await platform.advance(1_000);
  platform.socket.welcome();
  give('stale');
  await settle();
  assert.equal(platform.socket.ofType('authenticate').length, 0);
});

test('anonymous connections have nothing to renew', async () => {
  const { platform } = await connected({}, { server_time: time(0), token_expires_at: null });
  await beat(platform, 3_600_000);
  assert.equal(platform.socket.ofType('authenticate').length, 0);
});

test('configure sets the token for the next dial', async () => {
  const { client, platform } = newClient();
  client.configure({ token: 'jwt' });
  client.connect();
  await settle();
  assert.deepEqual(platform.socket.protocols, ['timetodo.v1', 'bearer.jwt']);
});

/** Time passes on a healthy connection. */
async function beat(platform, ms) {
  for (; ms > 20_000; ms -= 20_000) {
    await platform.advance(20_000);
    platform.socket.receive({ type: 'ping', data: { heads: {} } });
  }
  await platform.advance(ms);
}
