import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connected, following, reconnect } from './support/client.js';
import { settle } from './support/platform.js';

const joins = (platform) => platform.socket.ofType('join_project').map(({ since }) => since);
const range = (from, to) => Array.from({ length: to - from + 1 }, (_, n) => from + n);

/** A client whose application handles resync, at the moment when one has been announced: the log stands at 50. */
const resyncing = async () => {
  const test = await following(3);
  test.client.on('resync', () => {});
  test.platform.socket.receive({ type: 'resync', project_id: 'P', data: { epoch: 'e', seq: 50 } });
  return test;
};

for (const reason of ['epoch_changed', 'position_ahead', 'expired', 'too_far']) {
  test(`a reconnect that cannot resume says resync with the reason ${reason}`, async () => {
    const test = await following(3);
    await reconnect(test);
    test.platform.socket.answerJoin({ recovered: false, reason, epoch: 'new', seq: 50 });
    const [resync, more] = test.ofType('resync');
    assert.deepEqual(resync, { type: 'resync', project_id: 'P', data: { epoch: 'new', seq: 50, reason } });
    assert.equal(more, undefined);
  });
}

test("a server's resync in the midst of a connection is handed on with a reason", async () => {
  const { ofType } = await resyncing();
  assert.deepEqual(ofType('resync')[0].data, { epoch: 'e', seq: 50, reason: 'too_far' });
});

test('a first join that takes no board says no resync', async () => {
  const { ofType } = await following(3);
  assert.deepEqual(ofType('resync'), []);
});

test('while the application reads the board nothing is handed on, and there is no cursor', async () => {
  const { client, platform, seqs } = await resyncing();
  for (const seq of [51, 52]) platform.socket.event(seq);
  assert.deepEqual(seqs(), []);
  assert.equal(client.cursor('P'), null);
});

test('setCursor hands on what came after the board, in order and once, without asking the server', async () => {
  const { client, platform, seqs } = await resyncing();
  for (const seq of [51, 52, 53]) platform.socket.event(seq);
  client.setCursor('P', { epoch: 'e', seq: 51 });
  platform.socket.event(54);
  assert.deepEqual(seqs(), [52, 53, 54]);
  assert.equal(joins(platform).length, 1);
});

test('a board older than the resync is completed by the server', async () => {
  const { client, platform, seqs } = await resyncing();
  platform.socket.event(51);
  client.setCursor('P', { epoch: 'e', seq: 48 });
  assert.deepEqual(joins(platform).at(-1), { epoch: 'e', seq: 48 });
  assert.equal(joins(platform).length, 2);
  platform.socket.answerJoin({ recovered: true, seq: 51 });
  for (const seq of [49, 50, 51]) platform.socket.event(seq);
  assert.deepEqual(seqs(), [49, 50, 51]);
});

test('a board older than the resync is completed even when no event comes', async () => {
  const { client, platform } = await resyncing();
  client.setCursor('P', { epoch: 'e', seq: 49 });
  assert.deepEqual(joins(platform).at(-1), { epoch: 'e', seq: 49 });
});

test('a board newer than what was heard lets the events that it contains be dropped', async () => {
  const { client, platform, seqs } = await resyncing();
  client.setCursor('P', { epoch: 'e', seq: 52 });
  for (const seq of [51, 52, 53]) platform.socket.event(seq);
  assert.deepEqual(seqs(), [53]);
  assert.equal(joins(platform).length, 1);
});

test('a board of another epoch is taken to the server, which judges', async () => {
  const { client, platform } = await resyncing();
  client.setCursor('P', { epoch: 'older', seq: 60 });
  assert.deepEqual(joins(platform).at(-1), { epoch: 'older', seq: 60 });
});

test('joinProject with since does the same as setCursor, by way of the server', async () => {
  const { client, platform, seqs } = await resyncing();
  for (const seq of [51, 52]) platform.socket.event(seq);
  const joining = client.joinProject('P', { since: { epoch: 'e', seq: 51 } });
  platform.socket.answerJoin({ recovered: true, seq: 52 });
  for (const seq of [52, 53]) platform.socket.event(seq);
  assert.deepEqual(seqs(), [52, 53]);
  assert.equal((await joining).recovered, true);
});

test('at most 1,000 events are kept meanwhile; of more, the server is asked again', async () => {
  const { client, platform, seqs } = await resyncing();
  for (const seq of range(51, 1_051)) platform.socket.event(seq);
  client.setCursor('P', { epoch: 'e', seq: 60 });
  assert.deepEqual(seqs(), []);
  assert.deepEqual(joins(platform).at(-1), { epoch: 'e', seq: 60 });
  assert.equal(joins(platform).length, 2);
});

test('exactly 1,000 events are kept', async () => {
  const { client, platform, seqs } = await resyncing();
  for (const seq of range(51, 1_050)) platform.socket.event(seq);
  client.setCursor('P', { epoch: 'e', seq: 50 });
  assert.deepEqual(seqs(), range(51, 1_050));
  assert.equal(joins(platform).length, 1);
});

test('a second resync before the first board has come starts over', async () => {
  const { client, platform, seqs, ofType } = await resyncing();
  platform.socket.event(51);
  platform.socket.receive({ type: 'resync', project_id: 'P', data: { epoch: 'e', seq: 90 } });
  assert.equal(ofType('resync').length, 2);
  client.setCursor('P', { epoch: 'e', seq: 51 });
  platform.socket.answerJoin({ recovered: true, seq: 91 });
  for (const seq of range(52, 91)) platform.socket.event(seq);
  assert.deepEqual(seqs(), range(52, 91));
});

test('two boards read for one resync leave no gap and repeat nothing that the later one contains', async () => {
  const { client, platform, seqs } = await resyncing();
  client.setCursor('P', { epoch: 'e', seq: 50 });
  for (const seq of [51, 52]) platform.socket.event(seq);
  client.setCursor('P', { epoch: 'e', seq: 51 });
  assert.deepEqual(joins(platform).at(-1), { epoch: 'e', seq: 51 });
  platform.socket.answerJoin({ recovered: true, seq: 52 });
  for (const seq of [52, 53]) platform.socket.event(seq);
  assert.deepEqual(seqs(), [51, 52, 52, 53], '52 again: the second board does not contain it');
});

test('a cursor set while a join is under way is joined from in its turn, and the first answer is not acted on', async () => {
  const { client, platform, seqs, ofType } = await following(3);
  platform.socket.event(6);
  const [, { id }] = platform.socket.ofType('join_project');
  client.setCursor('P', { epoch: 'e', seq: 5 });
  const data = { epoch: 'e', seq: 6, recovered: false, reason: 'expired' };
  platform.socket.receive({ id, type: 'project_joined', project_id: 'P', data });
  platform.socket.answerJoin({ recovered: true, seq: 6 });
  platform.socket.event(6);
  assert.deepEqual(joins(platform).slice(1), [
    { epoch: 'e', seq: 3 },
    { epoch: 'e', seq: 5 },
  ]);
  assert.deepEqual(seqs(), [6]);
  assert.deepEqual(ofType('resync'), []);
});

test('a cursor may be given as a part of something larger, such as the board', async () => {
  const test = await following(3);
  test.client.setCursor('P', { epoch: 'e', seq: 3, role: 'editor', tasks: [] });
  await reconnect(test);
  assert.deepEqual(joins(test.platform), [{ epoch: 'e', seq: 3 }]);
});

test('a connection lost before the board has come asks for the board again', async () => {
  const test = await resyncing();
  await reconnect(test);
  assert.deepEqual(joins(test.platform), [undefined]);
  test.platform.socket.answerJoin({ recovered: null, seq: 70 });
  assert.deepEqual(test.ofType('resync').at(-1).data, { epoch: 'e', seq: 70, reason: 'fresh' });
});

test('a board that comes while the connection is lost is resumed from after it', async () => {
  const test = await resyncing();
  test.platform.socket.event(51);
  test.platform.socket.drop();
  test.client.setCursor('P', { epoch: 'e', seq: 50 });
  assert.deepEqual(test.seqs(), [51]);
  (await test.platform.nextDial()).welcome();
  assert.deepEqual(joins(test.platform), [{ epoch: 'e', seq: 51 }]);
});

test('a board that never comes is asked for again with each heartbeat', async () => {
  const { platform, ofType } = await resyncing();
  platform.socket.receive({ type: 'ping', data: { heads: { P: 55 } } });
  assert.deepEqual(ofType('resync').at(-1).data, { epoch: 'e', seq: 55, reason: 'waiting' });
});

test('where nobody handles resync, events go on from the head, and the console says what was missed', async () => {
  const { client, platform, seqs } = await following(3);
  platform.socket.receive({ type: 'resync', project_id: 'P', data: { epoch: 'e', seq: 50 } });
  platform.socket.event(51);
  assert.deepEqual(seqs(), [51]);
  assert.deepEqual(client.cursor('P'), { epoch: 'e', seq: 51 });
  assert.match(platform.complaints[0], /missed changes of project P \(too_far\), handle "resync"/);
});

test('a handler of everything, or of system, is no promise to set the cursor', async () => {
  const { client, platform, seqs } = await following(3);
  client.on('system', () => {});
  platform.socket.receive({ type: 'resync', project_id: 'P', data: { epoch: 'e', seq: 50 } });
  platform.socket.event(51);
  assert.deepEqual(seqs(), [51]);
});

test('a gap that asking does not fill becomes a resync, not an endless loop', async () => {
  const { platform, ofType } = await following(3);
  platform.socket.event(6);
  platform.socket.answerJoin({ recovered: true, seq: 6 });
  platform.socket.event(6);
  assert.deepEqual(ofType('resync')[0].data, { epoch: 'e', seq: 6, reason: 'gap' });
  assert.equal(joins(platform).length, 2);
});

test('a resync handler may set the cursor at once', async () => {
  const { client, platform, seqs } = await following(3);
  client.on('resync', ({ project_id, data }) => client.setCursor(project_id, data));
  platform.socket.receive({ type: 'resync', project_id: 'P', data: { epoch: 'e', seq: 50 } });
  platform.socket.event(51);
  assert.deepEqual(seqs(), [51]);
});

test('setCursor of a project that is not joined does nothing', async () => {
  const { client, platform } = await connected();
  client.setCursor('P', { epoch: 'e', seq: 1 });
  await settle();
  assert.equal(client.cursor('P'), null);
  assert.deepEqual(platform.socket.sent, []);
});
