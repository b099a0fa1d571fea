import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connected, reconnect } from './support/client.js';

const notification = (seq) => ({ type: 'notification', user_id: 'me', seq, data: { action: 'added', unread: seq } });

/** A client that follows its user's own log, which stands at `seq`. */
const followingOwn = async (seq) => {
  const test = await connected();
  const joining = test.client.joinUser();
  test.answer = (data) => {
    const { id } = test.platform.socket.ofType('join_user').at(-1);
    const joined = { epoch: 'e', seq, recovered: null, replay: 0, unread: 2, ...data };
    test.platform.socket.receive({ id, type: 'user_joined', data: joined });
  };
  test.answer({});
  test.joined = await joining;
  return test;
};

test('joinUser says how much is unread, and follows from there', async () => {
  const { client, platform, joined, seqs, ofType } = await followingOwn(3);
  assert.equal(joined.unread, 2);
  for (const seq of [4, 4, 3, 5]) platform.socket.receive(notification(seq));
  assert.deepEqual(seqs(), [4, 5]);
  assert.deepEqual(client.cursor('user'), { epoch: 'e', seq: 5 });
  assert.equal(ofType('presence').length, 0);
});

test('handlers of notifications hear each once', async () => {
  const { client, platform } = await followingOwn(3);
  const heard = [];
  for (const name of ['notification', 'system', 'user', 'project', '*']) {
    client.on(name, ({ type, seq }) => type === 'notification' && heard.push(`${name} ${seq}`));
  }
  for (const seq of [4, 5]) platform.socket.receive(notification(seq));
  assert.deepEqual(heard, ['notification 4', 'system 4', '* 4', 'notification 5', 'system 5', '* 5']);
});

test("one's own log is resumed after a reconnect", async () => {
  const test = await followingOwn(3);
  test.platform.socket.receive(notification(4));
  await reconnect(test);
  const [join] = test.platform.socket.ofType('join_user');
  assert.deepEqual(join.since, { epoch: 'e', seq: 4 });
  assert.equal('project_id' in join, false);
  test.answer({ recovered: true, seq: 5 });
  test.platform.socket.receive(notification(5));
  assert.deepEqual(test.seqs(), [4, 5]);
});

test('a head that is ahead in a ping makes the client ask again', async () => {
  const { platform } = await followingOwn(3);
  platform.socket.receive({ type: 'ping', data: { heads: { user: 4 } } });
  assert.deepEqual(platform.socket.ofType('join_user')[1].since, { epoch: 'e', seq: 3 });
});

test('what cannot be caught up is a resync without a project', async () => {
  const { client, platform, ofType } = await followingOwn(3);
  client.on('resync', () => client.setCursor('user', { epoch: 'e', seq: 2000 }));
  platform.socket.receive({ type: 'resync', data: { epoch: 'e', seq: 2000 } });
  assert.equal(ofType('resync')[0].project_id, undefined);
  platform.socket.receive(notification(2001));
  assert.deepEqual(client.cursor('user'), { epoch: 'e', seq: 2001 });
});
