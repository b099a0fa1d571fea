import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connected, dialling, newClient } from './support/client.js';
import { settle } from './support/platform.js';

test('a client does nothing before it is told to connect', async () => {
  const { client, platform } = newClient();
  await platform.advance(60_000);
  assert.equal(client.state, 'idle');
  assert.equal(platform.sockets.length, 0);
});

test('connecting goes idle, connecting, open; and open comes with the welcome, not with the handshake', async () => {
  const { client, platform, states } = newClient();
  client.connect();
  await settle();
  assert.equal(client.state, 'connecting');
  platform.socket.onopen?.();
  assert.equal(client.state, 'connecting');
  platform.socket.welcome();
  assert.equal(client.state, 'open');
  assert.deepEqual(states(), ['connecting', 'open']);
});

for (const [url, socket] of [
  ['https://todo.example.org', 'wss://todo.example.org/api/v1/ws'],
  ['http://localhost:8000/', 'ws://localhost:8000/api/v1/ws'],
  ['ws://localhost:8000/api/v1/ws', 'ws://localhost:8000/api/v1/ws'],
  ['wss://todo.example.org/api/v1/ws', 'wss://todo.example.org/api/v1/ws'],
]) {
  test(`url ${url} is dialled at ${socket}`, async () => {
    const { platform } = await dialling({ url });
    assert.equal(platform.socket.url, socket);
  });
}

test('an address that cannot be dialled is told, and dialled again once it is corrected', async () => {
  const { client, platform } = newClient({ url: 'todo.example.org' });
  client.connect();
  await settle();
  assert.equal(client.state, 'waiting');
  assert.match(platform.complaints[0], /look at url and token: .*Invalid URL/);
  client.configure({ url: 'https://todo.example.org' });
  await platform.advance(1_000);
  assert.equal(platform.socket.url, 'wss://todo.example.org/api/v1/ws');
});

test('connect while connecting or open dials no second time', async () => {
  const { client, platform } = await dialling();
  client.connect();
  await settle();
  platform.socket.welcome();
  client.connect();
  await settle();
  assert.equal(platform.sockets.length, 1);
});

test('connect while waiting dials at once', async () => {
  const { client, platform } = await dialling();
  platform.chance = 1;
  platform.socket.drop();
  assert.equal(client.state, 'waiting');
  client.connect();
  await settle();
  assert.equal(platform.sockets.length, 2);
});

test('a dial that has brought no welcome after 10 s is given up', async () => {
  const { client, platform } = await dialling();
  platform.chance = 1;
  await platform.advance(9_999);
  assert.equal(client.state, 'connecting');
  await platform.advance(1);
  assert.equal(client.state, 'waiting');
  assert.equal(platform.sockets[0].closedWith, 1000);
});

test('what a socket given up says later is not listened to', async () => {
  const { client, platform, states } = await dialling();
  const [old] = platform.sockets;
  await platform.advance(11_000);
  old.welcome();
  old.drop(4401);
  assert.equal(client.state, 'connecting');
  assert.deepEqual(states(), ['connecting', 'waiting', 'connecting']);
});

test('disconnect closes with 1000, says closed, and comes back only when told', async () => {
  const { client, platform, ofType } = await connected();
  client.disconnect();
  assert.equal(platform.socket.closedWith, 1000);
  await platform.advance(600_000);
  assert.equal(platform.sockets.length, 1);
  assert.deepEqual(ofType('state').at(-1).data, { state: 'closed', code: 1000, reason: 'disconnected' });
  client.connect();
  await settle();
  assert.equal(platform.sockets.length, 2);
});

test('a state handler may disconnect while the client dials', async () => {
  const { client, platform } = newClient();
  client.on('state', ({ data }) => data.state === 'connecting' && client.disconnect());
  client.connect();
  await platform.advance(60_000);
  assert.equal(client.state, 'closed');
  assert.equal(platform.sockets.length, 0);
});

test('a disconnect while the token is asked for wins', async () => {
  let give;
  const { client, platform } = await dialling({ token: () => new Promise((resolve) => (give = resolve)) });
  client.disconnect();
  give('jwt');
  await platform.advance(60_000);
  assert.equal(platform.sockets.length, 0);
});

test('a token function that fails after a disconnect does not bring the client back', async () => {
  let fail;
  const { client, platform } = await dialling({ token: () => new Promise((_, reject) => (fail = reject)) });
  client.disconnect();
  fail(new Error('offline'));
  await platform.advance(60_000);
  assert.equal(client.state, 'closed');
});

test('ping resolves with the round trip in milliseconds', async () => {
  const { client, platform } = await connected();
  const trip = client.ping();
  await platform.advance(42);
  const { id } = platform.socket.ofType('ping')[0];
  platform.socket.receive({ id, type: 'pong', data: {} });
  assert.equal(await trip, 42);
});

test('ping rejects when not connected, and when the connection goes before the answer', async () => {
  const { client, platform } = newClient();
  await assert.rejects(client.ping(), /not connected/);
  client.connect();
  await settle();
  platform.socket.welcome();
  const trip = client.ping();
  platform.socket.drop();
  await assert.rejects(trip, /not connected/);
});
