import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connected, following, reconnect } from './support/client.js';
import { settle } from './support/platform.js';

const joins = (platform) => platform.socket.ofType('join_project').map(({ since }) => since);
const range = (from, to) => Array.from({ length: to - from + 1 }, (_, n) => from + n);

test('events are handed on in order, each once', async () => {
  const { client, platform, seqs } = await following(3);
  for (const seq of [4, 5, 6]) platform.socket.event(seq);
  assert.deepEqual(seqs(), [4, 5, 6]);
  assert.deepEqual(client.cursor('P'), { epoch: 'e', seq: 6 });
});

test('a project that has no events yet begins with event 1', async () => {
  const { platform, seqs } = await following(0);
  platform.socket.event(1);
  assert.deepEqual(seqs(), [1]);
});

test('an event that was handed on already is dropped', async () => {
  const { platform, seqs } = await following(3);
  for (const seq of [4, 4, 3, 1, 5, 4]) platform.socket.event(seq);
  assert.deepEqual(seqs(), [4, 5]);
  assert.equal(joins(platform).length, 1);
});

test('an event that comes too early is not handed on, but what is missing before it is asked for', async () => {
  const { client, platform, seqs } = await following(3);
  platform.socket.event(6);
  assert.deepEqual(seqs(), []);
  assert.deepEqual(joins(platform), [undefined, { epoch: 'e', seq: 3 }]);
  platform.socket.answerJoin({ recovered: true, seq: 6 });
  for (const seq of [4, 5, 6, 7]) platform.socket.event(seq);
  assert.deepEqual(seqs(), [4, 5, 6, 7]);
  assert.equal(client.state, 'open');
  assert.equal(platform.sockets.length, 1, 'the gap is filled on the same connection');
});

test('while a gap is being filled it is not asked for again', async () => {
  const { platform, seqs } = await following(3);
  for (const seq of [6, 7, 8]) platform.socket.event(seq);
  platform.socket.receive({ type: 'ping', data: { heads: { P: 8 } } });
  assert.equal(joins(platform).length, 2);
  platform.socket.answerJoin({ recovered: true, seq: 8 });
  for (const seq of range(4, 8)) platform.socket.event(seq);
  assert.deepEqual(seqs(), range(4, 8));
});

test('the missing event arriving late, while it is asked for, is handed on and not repeated', async () => {
  const { platform, seqs } = await following(3);
  for (const seq of [5, 4, 5]) platform.socket.event(seq);
  platform.socket.answerJoin({ recovered: true, seq: 5 });
  for (const seq of [4, 5, 6]) platform.socket.event(seq);
  assert.deepEqual(seqs(), [4, 5, 6]);
});

test('one gap after another is filled', async () => {
  const { platform, seqs } = await following(0);
  platform.socket.event(2);
  platform.socket.answerJoin({ recovered: true, seq: 2 });
  for (const seq of [1, 2, 4]) platform.socket.event(seq);
  platform.socket.answerJoin({ recovered: true, seq: 4 });
  for (const seq of [3, 4]) platform.socket.event(seq);
  assert.deepEqual(seqs(), [1, 2, 3, 4]);
});

test('projects have cursors of their own', async () => {
  const { client, platform, seqs } = await following(3);
  client.joinProject('Q');
  platform.socket.answerJoin({ seq: 40, epoch: 'q' });
  platform.socket.event(41, { project_id: 'Q' });
  platform.socket.event(4);
  assert.deepEqual(seqs(), [41, 4]);
  assert.deepEqual(client.cursor('Q'), { epoch: 'q', seq: 41 });
  assert.deepEqual(client.cursor('P'), { epoch: 'e', seq: 4 });
});

test('25 events missed while away are handed on in order after the reconnect, then live ones', async () => {
  const test = await following(100);
  await reconnect(test);
  assert.deepEqual(joins(test.platform), [{ epoch: 'e', seq: 100 }]);
  test.platform.socket.answerJoin({ recovered: true, seq: 125, replay: 25 });
  for (const seq of range(101, 126)) test.platform.socket.event(seq);
  assert.deepEqual(test.seqs(), range(101, 126));
});

test('a day offline changes nothing: the same cursor, the same replay', async () => {
  const test = await following(100);
  test.platform.chance = 1;
  test.platform.socket.drop();
  while (test.platform.now < 86_400_000) (await test.platform.nextDial()).drop();
  await reconnect(test);
  test.platform.socket.answerJoin({ recovered: true, seq: 102 });
  for (const seq of [101, 102]) test.platform.socket.event(seq);
  assert.deepEqual(test.seqs(), [101, 102]);
});

test('a connection lost in the middle of a replay goes on from where the replay stopped', async () => {
  const test = await following(0);
  await reconnect(test);
  test.platform.socket.answerJoin({ recovered: true, seq: 9 });
  for (const seq of [1, 2, 3]) test.platform.socket.event(seq);
  await reconnect(test);
  assert.deepEqual(joins(test.platform), [{ epoch: 'e', seq: 3 }]);
  test.platform.socket.answerJoin({ recovered: true, seq: 9 });
  for (const seq of range(4, 9)) test.platform.socket.event(seq);
  assert.deepEqual(test.seqs(), range(1, 9));
});

test('a reconnect without a single event received resumes from the head that the join told', async () => {
  const test = await following(41);
  await reconnect(test);
  assert.deepEqual(joins(test.platform), [{ epoch: 'e', seq: 41 }]);
});

test('joining from a board that was read replays what came after it', async () => {
  const { client, platform, seqs } = await connected();
  const joining = client.joinProject('P', { since: { epoch: 'e', seq: 10 } });
  assert.deepEqual(joins(platform), [{ epoch: 'e', seq: 10 }]);
  platform.socket.answerJoin({ recovered: true, seq: 12, replay: 2 });
  for (const seq of [11, 12, 13]) platform.socket.event(seq);
  assert.deepEqual(seqs(), [11, 12, 13]);
  assert.equal((await joining).recovered, true);
});

test('the cursor is that of the last event until all handlers have seen the next', async () => {
  const { client, platform } = await following(3);
  const during = [];
  client.on('task', () => during.push(client.cursor('P').seq));
  platform.socket.event(4);
  assert.deepEqual(during, [3]);
  assert.equal(client.cursor('P').seq, 4);
});

test("a cursor that was handed out does not change by itself, nor change the client's", async () => {
  const { client, platform } = await following(3);
  const cursor = client.cursor('P');
  platform.socket.event(4);
  assert.equal(cursor.seq, 3);
  cursor.seq = 99;
  assert.equal(client.cursor('P').seq, 4);
});

test('an event of a type newer than this client counts, and belongs to the group project', async () => {
  const { client, platform } = await following(3);
  const heard = [];
  client.on('project', ({ type, seq }) => heard.push([type, seq]));
  platform.socket.event(4, { type: 'sprint_started' });
  platform.socket.event(5, { type: 'project_updated' });
  assert.deepEqual(heard, [
    ['sprint_started', 4],
    ['project_updated', 5],
  ]);
  assert.deepEqual(platform.complaints, []);
});

test('a handler that leaves the project gets nothing more of it', async () => {
  const { client, platform, seqs } = await following(3);
  client.on('task', () => client.leaveProject('P'));
  for (const seq of [4, 5]) platform.socket.event(seq);
  assert.deepEqual(seqs(), [4]);
});

test('a handler that sets the cursor is not overruled by the event it was called for', async () => {
  const { client, platform } = await following(3);
  client.on('task', ({ seq }) => seq === 4 && client.setCursor('P', { epoch: 'e', seq: 20 }));
  platform.socket.event(4);
  await settle();
  assert.deepEqual(client.cursor('P'), { epoch: 'e', seq: 20 });
});
