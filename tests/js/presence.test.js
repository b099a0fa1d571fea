import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connected, following, reconnect } from './support/client.js';

const ann = { user_id: 'a', name: 'Ann', devices: 1, viewing: null };
const bob = { user_id: 'b', name: 'Bob', devices: 2, viewing: 't1' };

const inRoom = async (online) => {
  const test = await connected();
  test.client.joinProject('P');
  test.platform.socket.answerJoin({ online });
  const user = (type, user_id, data = {}) => test.platform.socket.receive({ type, project_id: 'P', user_id, data });
  return { ...test, user };
};

test('presence begins with the list that the join brings', async () => {
  const { client, ofType } = await inRoom([ann, bob]);
  assert.deepEqual(client.presence('P'), [ann, bob]);
  assert.deepEqual(ofType('presence'), [{ type: 'presence', project_id: 'P', data: { online: [ann, bob] } }]);
});

test('a user who comes is added, one who goes is removed, and each is told', async () => {
  const { client, ofType, user } = await inRoom([ann]);
  user('user_online', 'b', { user_id: 'b', name: 'Bob', devices: 1 });
  assert.deepEqual(
    client.presence('P').map(({ name }) => name),
    ['Ann', 'Bob'],
  );
  user('user_offline', 'a');
  assert.deepEqual(
    client.presence('P').map(({ name }) => name),
    ['Bob'],
  );
  assert.equal(ofType('presence').length, 3);
  assert.equal(ofType('user_online').length, 1);
  assert.equal(ofType('user_offline').length, 1);
});

test('a user who is online already is not listed twice, and what is known of them stays', async () => {
  const { client, user } = await inRoom([bob]);
  user('user_online', 'b', { devices: 3 });
  assert.deepEqual(client.presence('P'), [{ ...bob, devices: 3 }]);
});

test('what a user looks at is kept', async () => {
  const { client, user } = await inRoom([ann]);
  user('viewing', 'a', { task_id: 't9' });
  assert.equal(client.presence('P')[0].viewing, 't9');
  user('viewing', 'a', { task_id: null });
  assert.equal(client.presence('P')[0].viewing, null);
});

test('typing is handed on and changes no presence', async () => {
  const { ofType, user } = await inRoom([ann]);
  user('typing', 'a', { task_id: 't' });
  assert.equal(ofType('typing').length, 1);
  assert.equal(ofType('presence').length, 1);
});

test('a list sent whole replaces the one before', async () => {
  const { client, user } = await inRoom([ann]);
  user('presence', null, { online: [bob] });
  assert.deepEqual(client.presence('P'), [bob]);
});

test('a reconnect replaces the list', async () => {
  const test = await inRoom([ann, bob]);
  await reconnect(test);
  test.platform.socket.answerJoin({ recovered: true, online: [bob] });
  assert.deepEqual(test.client.presence('P'), [bob]);
});

test('a project that is not joined has nobody online', async () => {
  const { client } = await connected();
  assert.deepEqual(client.presence('P'), []);
});

test('typing and viewing are sent to the project', async () => {
  const { client, platform } = await following();
  client.typing('P', 't1');
  client.viewing('P', 't2');
  client.viewing('P', null);
  assert.deepEqual(platform.socket.sent.slice(1), [
    { type: 'typing', project_id: 'P', task_id: 't1' },
    { type: 'viewing', project_id: 'P', task_id: 't2' },
    { type: 'viewing', project_id: 'P', task_id: null },
  ]);
});

test('typing at every key is sent once in 2 s', async () => {
  const { client, platform } = await following();
  for (let key = 0; key < 41; key++) {
    client.typing('P', 't1');
    await platform.advance(100);
  }
  assert.equal(platform.socket.ofType('typing').length, 3);
});

test('what the user looks at is told again after a reconnect, and no longer once it is null', async () => {
  const test = await following();
  test.client.viewing('P', 't2');
  await reconnect(test);
  assert.deepEqual(test.platform.socket.ofType('viewing'), []);
  test.platform.socket.answerJoin({ recovered: true });
  assert.equal(test.platform.socket.ofType('viewing')[0].task_id, 't2');
  test.client.viewing('P', null);
  await reconnect(test);
  test.platform.socket.answerJoin({ recovered: true });
  assert.deepEqual(test.platform.socket.ofType('viewing'), []);
});

test('what the user looks at may be told before the join is answered', async () => {
  const { client, platform } = await connected();
  client.joinProject('P');
  client.viewing('P', 't2');
  assert.deepEqual(platform.socket.ofType('viewing'), []);
  platform.socket.answerJoin();
  assert.equal(platform.socket.ofType('viewing').length, 1);
});

test('typing and viewing without a connection are dropped in silence', async () => {
  const { client, platform } = await following();
  platform.socket.drop();
  client.typing('P', 't1');
  client.viewing('Q', 't1');
  assert.deepEqual(platform.complaints, []);
});
