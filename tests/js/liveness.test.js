import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connected, dialling, following } from './support/client.js';

test("the server's ping is answered by pong", async () => {
  const { platform } = await connected();
  platform.socket.receive({ type: 'ping' });
  assert.deepEqual(platform.socket.sent, [{ type: 'pong' }]);
  assert.deepEqual(platform.complaints, []);
});

test('nothing heard for 35 s is a lost connection', async () => {
  const { client, platform, ofType } = await connected();
  platform.chance = 1;
  await platform.advance(34_999);
  assert.equal(client.state, 'open');
  await platform.advance(1);
  assert.equal(client.state, 'waiting');
  assert.equal(ofType('state').at(-1).data.reason, 'nothing heard');
  assert.equal(platform.sockets[0].closedWith, 1000);
});

test('any message is a sign of life, even one that makes no sense', async () => {
  const { client, platform } = await connected();
  for (const text of ['{"type":"ping"}', '{"type":"user_online","project_id":"?"}', '{"type":"news"}']) {
    await platform.advance(34_000);
    platform.socket.receiveText(text);
  }
  await platform.advance(34_999);
  assert.equal(client.state, 'open');
});

test('the watchdog follows the heartbeat that the server announces', async () => {
  const { client, platform } = await connected({}, { heartbeat_s: 60 });
  await platform.advance(69_999);
  assert.equal(client.state, 'open');
  await platform.advance(1);
  assert.notEqual(client.state, 'open');
});

for (const event of ['online', 'pageshow', 'visibilitychange']) {
  test(`${event} on an open connection asks for a sign of life and gives up after 3 s without`, async () => {
    const { client, platform } = await connected();
    platform.chance = 1;
    platform.wake(event);
    assert.equal(platform.socket.ofType('ping').length, 1);
    await platform.advance(2_999);
    assert.equal(client.state, 'open');
    await platform.advance(1);
    assert.equal(client.state, 'waiting');
  });

  test(`${event} brings a waiting reconnect forward`, async () => {
    const { platform } = await dialling();
    platform.chance = 1;
    for (let n = 0; n < 10; n++) {
      platform.socket.drop();
      await platform.nextDial();
    }
    platform.socket.drop();
    const before = platform.sockets.length;
    platform.wake(event);
    await platform.advance(0);
    assert.equal(platform.sockets.length, before + 1);
  });
}

test('a connection that answers the probe lives on', async () => {
  const { client, platform } = await connected();
  platform.wake();
  await platform.advance(2_000);
  platform.socket.receive({ type: 'pong', data: {} });
  await platform.advance(34_999);
  assert.equal(client.state, 'open');
  await platform.advance(1);
  assert.notEqual(client.state, 'open');
});

test('a page that is being hidden does not probe', async () => {
  const { platform } = await connected();
  platform.document.visibilityState = 'hidden';
  platform.wake('visibilitychange');
  assert.deepEqual(platform.socket.sent, []);
});

test('waking does not come before the time a server has asked for', async () => {
  const { platform } = await connected();
  platform.socket.drop(4203);
  for (let n = 0; n < 4; n++) {
    await platform.advance(1_249);
    platform.wake();
  }
  assert.equal(platform.sockets.length, 1);
  await platform.advance(4);
  assert.equal(platform.sockets.length, 2);
});

test('waking does not disturb a dial, nor start a client that nobody has started', async () => {
  const { platform } = await dialling();
  platform.wake();
  await platform.advance(0);
  assert.equal(platform.sockets.length, 1);
  assert.deepEqual(platform.socket.sent, []);
});

test('a ping that tells of a later head asks for what is missing', async () => {
  const { platform } = await following(5);
  platform.socket.receive({ type: 'ping', data: { heads: { P: 8, Q: 9 } } });
  const [, pong, join] = platform.socket.sent;
  assert.deepEqual(pong, { type: 'pong' });
  assert.deepEqual(join, { id: join.id, type: 'join_project', project_id: 'P', since: { epoch: 'e', seq: 5 } });
});

test('a ping that tells of the same head, or of an earlier one, asks for nothing', async () => {
  const { platform } = await following(5);
  platform.socket.receive({ type: 'ping', data: { heads: { P: 5 } } });
  platform.socket.receive({ type: 'ping', data: { heads: { P: 4 } } });
  assert.equal(platform.socket.ofType('join_project').length, 1);
});

test('pings that stay ahead ask again every time and never give the board up', async () => {
  const { platform, ofType } = await following(5);
  for (let n = 0; n < 3; n++) {
    platform.socket.receive({ type: 'ping', data: { heads: { P: 8 } } });
    platform.socket.answerJoin({ recovered: true, seq: 8 });
  }
  assert.equal(platform.socket.ofType('join_project').length, 4);
  assert.deepEqual(ofType('resync'), []);
});
