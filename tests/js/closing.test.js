import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connected, dialling, following, reconnect } from './support/client.js';
import { settle } from './support/platform.js';

/** When the next dial comes after a connection that was open for a moment closes with `code`, in ms. */
const waitAfter = async (code, chance) => {
  const { client, platform, ofType } = await connected({ token: () => 'jwt' });
  platform.chance = chance;
  platform.socket.drop(code, 'why');
  assert.equal(client.state, 'waiting', `after ${code}`);
  const { data } = ofType('state').at(-1);
  assert.equal(data.code, code);
  assert.equal(data.reason, 'why');
  const [at] = [platform.now + data.retry_in_ms];
  await platform.advance(data.retry_in_ms - 1);
  if (data.retry_in_ms) assert.equal(platform.sockets.length, 1);
  await platform.advance(1);
  assert.equal(platform.sockets.length, 2);
  return at;
};

for (const [code, least] of [
  [1000, 0],
  [1001, 0],
  [1005, 0],
  [1006, 0],
  [1009, 0],
  [1011, 0],
  [1012, 0],
  [1013, 5_000],
  [4200, 1_000],
  [4201, 500],
  [4202, 30_000],
  [4203, 5_000],
  [4299, 0],
  [4500, 0],
]) {
  test(`close ${code} reconnects after ${least} ms and at most 0.5 s of jitter`, async () => {
    assert.equal(await waitAfter(code, 0), least);
    assert.equal(await waitAfter(code, 1), least + 500);
  });
}

for (const code of [4100, 4199, 4419]) {
  test(`close ${code} reconnects at once`, async () => {
    assert.equal(await waitAfter(code, 1), 0);
  });
}

for (const code of [4400, 4401, 4403, 4410, 4499]) {
  test(`close ${code} stops for good, reports the code, and says why and what to do`, async () => {
    const { client, platform, ofType } = await connected({ token: () => 'jwt' });
    platform.socket.drop(code, 'why');
    await platform.advance(600_000);
    platform.wake();
    await platform.advance(600_000);
    assert.equal(client.state, 'closed');
    assert.equal(platform.sockets.length, 1);
    assert.deepEqual(ofType('state').at(-1).data, { state: 'closed', code, reason: 'why' });
    assert.deepEqual(platform.complaints, [`wsClient: stopped (${code} why); sign in or solve it, then connect()`]);
  });
}

test('after a stop, connect dials again and the joined projects go on from their cursors', async () => {
  const { client, platform } = await following(7);
  platform.socket.drop(4401);
  client.connect({ token: 'new' });
  await settle();
  platform.socket.welcome();
  assert.deepEqual(platform.socket.protocols, ['timetodo.v1', 'bearer.new']);
  assert.deepEqual(platform.socket.ofType('join_project')[0].since, { epoch: 'e', seq: 7 });
});

test('4410 forgets every project: nothing of it is joined by who signs in next', async () => {
  const { client, platform } = await following(7);
  platform.socket.drop(4410);
  assert.equal(client.cursor('P'), null);
  client.connect();
  await settle();
  platform.socket.welcome();
  assert.deepEqual(platform.socket.sent, []);
});

test('the back-off doubles from 0.5 s to 30 s and stays there for ever', async () => {
  const { platform, ofType } = await dialling();
  platform.chance = 1;
  for (let n = 0; n < 200; n++) {
    platform.socket.drop();
    await platform.nextDial();
  }
  const waits = ofType('state')
    .filter(({ data }) => data.state === 'waiting')
    .map(({ data }) => data.retry_in_ms);
  assert.deepEqual(waits.slice(0, 8), [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  assert.equal(waits.length, 200);
  assert.ok(waits.slice(6).every((wait) => wait === 30_000));
});

test('the jitter is full: any wait from nothing to the whole is possible', async () => {
  const { platform, ofType } = await dialling();
  for (const chance of [0, 0.25, 0.5, 0.999]) {
    platform.chance = chance;
    platform.socket.drop();
    await platform.nextDial();
  }
  const waits = ofType('state').map(({ data }) => data.retry_in_ms);
  assert.deepEqual(
    waits.filter((wait) => wait !== undefined),
    [0, 250, 1_000, 3_996],
  );
});

test('a connection that was open for less than 10 s does not start the back-off anew', async () => {
  const { platform, ofType } = await connected();
  platform.chance = 1;
  platform.socket.drop();
  await platform.advance(500);
  platform.socket.welcome();
  await platform.advance(9_999);
  platform.socket.drop();
  assert.equal(ofType('state').at(-1).data.retry_in_ms, 1_000);
});

test('a connection that was open for 10 s starts the back-off anew', async () => {
  const { platform, ofType } = await dialling();
  platform.chance = 1;
  for (let n = 0; n < 5; n++) {
    platform.socket.drop();
    await platform.nextDial();
  }
  platform.socket.welcome();
  await platform.advance(10_000);
  platform.socket.drop();
  assert.equal(ofType('state').at(-1).data.retry_in_ms, 500);
});

test('after reconnect and 1012 the client comes back when the server said, not before and not much later', async () => {
  const { platform } = await connected();
  platform.chance = 1;
  platform.socket.receive({ type: 'reconnect', data: { after_ms: 3_000 } });
  await platform.advance(1_000);
  platform.socket.drop(1012);
  await platform.advance(1_999);
  platform.wake();
  await platform.advance(0);
  assert.equal(platform.sockets.length, 1);
  await platform.advance(501);
  assert.equal(platform.sockets.length, 2);
});

test('a dial that fails after a restart backs off as usual', async () => {
  const { platform, ofType } = await connected();
  platform.chance = 1;
  platform.socket.receive({ type: 'reconnect', data: { after_ms: 100 } });
  platform.socket.drop(1012);
  await platform.advance(600);
  platform.socket.drop();
  assert.equal(ofType('state').at(-1).data.retry_in_ms, 1_000);
});

test('a server that cannot be reached is told of once an outage', async () => {
  const test = await dialling();
  const told = () =>
    test.platform.complaints.filter((text) => /no connection \(1006 \); is the server up/.test(text)).length;
  for (let n = 0; n < 5; n++) {
    test.platform.socket.drop();
    await test.platform.nextDial();
  }
  assert.equal(told(), 1);
  test.platform.socket.welcome();
  test.platform.socket.drop();
  await test.platform.nextDial();
  test.platform.socket.drop();
  assert.equal(told(), 2);
});

test('a lost connection that comes back is told in no words', async () => {
  const test = await following();
  await reconnect(test);
  assert.deepEqual(test.platform.complaints, []);
});
