import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connected, dialling, following, newClient, reconnect } from './support/client.js';
import { settle } from './support/platform.js';

test("joinProject resolves with the server's answer", async () => {
  const { client, platform } = await connected();
  const joining = client.joinProject('P');
  platform.socket.answerJoin({ seq: 3, role: 'viewer' });
  const joined = await joining;
  assert.equal(joined.seq, 3);
  assert.equal(joined.role, 'viewer');
});

test('a project joined before the connection is open is joined when it is', async () => {
  const { client, platform } = newClient();
  const joining = client.joinProject('P');
  client.connect();
  await settle();
  assert.deepEqual(platform.socket.sent, []);
  platform.socket.welcome();
  platform.socket.answerJoin({ seq: 3 });
  assert.equal((await joining).seq, 3);
});

test('a join that was lost with its connection is answered on the next', async () => {
  const test = await connected();
  const joining = test.client.joinProject('P');
  await reconnect(test);
  test.platform.socket.answerJoin({ seq: 3 });
  assert.equal((await joining).seq, 3);
});

test('joining twice before the answer asks once and answers both', async () => {
  const { client, platform } = await connected();
  const both = [client.joinProject('P'), client.joinProject('P')];
  assert.equal(platform.socket.ofType('join_project').length, 1);
  platform.socket.answerJoin({ seq: 3 });
  assert.deepEqual(
    (await Promise.all(both)).map(({ seq }) => seq),
    [3, 3],
  );
});

test('joining again goes on from the cursor and misses nothing', async () => {
  const { client, platform, seqs } = await following(3);
  client.joinProject('P');
  assert.deepEqual(platform.socket.ofType('join_project')[1].since, { epoch: 'e', seq: 3 });
  platform.socket.answerJoin({ recovered: true, seq: 4 });
  platform.socket.event(4);
  assert.deepEqual(seqs(), [4]);
});

test('every project is joined again after a reconnect', async () => {
  const test = await following(3);
  test.client.joinProject('Q');
  test.platform.socket.answerJoin({ seq: 40 });
  await reconnect(test);
  assert.deepEqual(
    test.platform.socket.ofType('join_project').map(({ project_id, since }) => [project_id, since.seq]),
    [
      ['P', 3],
      ['Q', 40],
    ],
  );
});

test('a state handler may join projects: each is asked for once', async () => {
  const { client, platform } = await dialling();
  client.joinProject('P');
  client.on('state', ({ data }) => data.state === 'open' && ['P', 'Q'].map((id) => client.joinProject(id)));
  platform.socket.welcome();
  assert.deepEqual(
    platform.socket.ofType('join_project').map(({ project_id }) => project_id),
    ['P', 'Q'],
  );
});

test('a hundred projects are joined again without flooding the server', async () => {
  const { client, platform } = await dialling();
  for (let n = 0; n < 100; n++) client.joinProject(`P${n}`);
  platform.socket.welcome();
  const asked = () => platform.socket.ofType('join_project').length;
  assert.equal(asked(), 20);
  await platform.advance(1_000);
  assert.equal(asked(), 30);
  await platform.advance(7_000);
  assert.equal(new Set(platform.socket.ofType('join_project').map(({ project_id }) => project_id)).size, 100);
  assert.equal(asked(), 100);
});

test('a project left while it waits for its turn is not joined', async () => {
  const { client, platform } = await dialling();
  for (let n = 0; n < 21; n++) client.joinProject(`P${n}`);
  platform.socket.welcome();
  client.leaveProject('P20');
  await platform.advance(1_000);
  assert.equal(platform.socket.ofType('join_project').length, 20);
});

for (const code of ['not_found', 'forbidden', 'limit_exceeded', 'bad_request']) {
  test(`a join refused with ${code} rejects with that code and is not repeated`, async () => {
    const test = await connected();
    const joining = test.client.joinProject('P');
    test.platform.socket.refuseJoin({ code, message: 'no such project' });
    await assert.rejects(joining, { code, message: 'project P: no such project' });
    await reconnect(test);
    assert.deepEqual(test.platform.socket.sent, []);
  });
}

test('a project that cannot be joined again after a reconnect is told as left, so that its copy is dropped', async () => {
  const test = await following(3);
  await reconnect(test);
  test.platform.socket.refuseJoin({ code: 'not_found' });
  assert.deepEqual(test.ofType('project_left'), [
    { type: 'project_left', project_id: 'P', data: { reason: 'not_found' } },
  ]);
  assert.equal(test.client.cursor('P'), null);
});

for (const [error, wait] of [
  [{ code: 'rate_limited', retryable: true, retry_after_ms: 700 }, 700],
  [{ code: 'unavailable', retryable: true }, 5_000],
  [{ code: 'token_expired' }, 5_000],
]) {
  test(`a join refused with ${error.code} is repeated after ${wait} ms`, async () => {
    const { client, platform } = await connected();
    const joining = client.joinProject('P');
    platform.socket.refuseJoin(error);
    await platform.advance(wait - 1);
    assert.equal(platform.socket.ofType('join_project').length, 1);
    await platform.advance(1);
    assert.equal(platform.socket.ofType('join_project').length, 2);
    platform.socket.answerJoin({ seq: 3 });
    assert.equal((await joining).seq, 3);
  });
}

test('a join refused again and again is repeated later and later, spread, and for ever', async () => {
  const { client, platform } = await connected();
  client.joinProject('P');
  const asked = () => platform.socket.ofType('join_project').length;
  for (const [number, wait] of [5_000, 10_000, 15_000, 15_000].entries()) {
    platform.chance = 0;
    platform.socket.refuseJoin({ code: 'unavailable', retryable: true });
    await platform.advance(wait - 1);
    assert.equal(asked(), number + 1);
    await platform.advance(1);
    assert.equal(asked(), number + 2);
  }
  platform.socket.answerJoin({ seq: 3 });
  platform.socket.event(5);
  platform.chance = 1;
  platform.socket.refuseJoin({ code: 'unavailable', retryable: true });
  await platform.advance(9_999);
  assert.equal(asked(), 6);
  await platform.advance(1);
  assert.equal(asked(), 7);
});

test('a join that waits to be repeated is not asked for sooner by a gap, nor given up', async () => {
  const { platform, ofType } = await following(3);
  platform.socket.event(5);
  platform.socket.refuseJoin({ code: 'rate_limited', retryable: true, retry_after_ms: 700 });
  platform.socket.event(6);
  assert.deepEqual(ofType('resync'), []);
  assert.equal(platform.socket.ofType('join_project').length, 2);
  await platform.advance(700);
  assert.equal(platform.socket.ofType('join_project').length, 3);
});

test('a rejected join that nobody looks at does no harm', async () => {
  const { client, platform } = await connected();
  client.joinProject('P');
  platform.socket.refuseJoin({ code: 'not_found' });
  await settle();
});

test('leaveProject tells the server, forgets the cursor, and is not joined again', async () => {
  const test = await following(3);
  test.client.leaveProject('P');
  const { id, ...leave } = test.platform.socket.sent.at(-1);
  assert.deepEqual(leave, { type: 'leave_project', project_id: 'P' });
  assert.equal(test.client.cursor('P'), null);
  test.platform.socket.event(4);
  assert.deepEqual(test.seqs(), []);
  await reconnect(test);
  assert.deepEqual(test.platform.socket.sent, []);
});

test('leaving before the server has answered rejects the join', async () => {
  const { client } = await connected();
  const joining = client.joinProject('P');
  client.leaveProject('P');
  await assert.rejects(joining, /project P: left/);
});

test('an answer that comes after leaving is not acted on', async () => {
  const { client, platform, ofType } = await connected();
  client.joinProject('P');
  client.leaveProject('P');
  platform.socket.answerJoin({ online: [{ user_id: 'a', name: 'Ann' }] });
  assert.deepEqual(ofType('presence'), []);
});

test('joining right after leaving is not undone by the answer to the leaving', async () => {
  const { client, platform, seqs } = await following(3);
  client.leaveProject('P');
  client.joinProject('P');
  const { id } = platform.socket.ofType('leave_project')[0];
  platform.socket.receive({ id, type: 'project_left', project_id: 'P', data: { reason: 'left' } });
  platform.socket.answerJoin({ seq: 3 });
  platform.socket.event(4);
  assert.deepEqual(seqs(), [4]);
});

test('the answer to a join that was left does not touch the one after it', async () => {
  const { client, platform } = await connected();
  client.joinProject('P');
  client.leaveProject('P');
  const joining = client.joinProject('P');
  const [first] = platform.socket.ofType('join_project');
  platform.socket.receive({ id: first.id, type: 'project_joined', project_id: 'P', data: { epoch: 'e', seq: 1 } });
  platform.socket.answerJoin({ seq: 3 });
  assert.equal((await joining).seq, 3);
});

for (const reason of ['revoked', 'deleted']) {
  test(`a project ${reason} is told, its cursor dropped, and nothing of it handed on or joined again`, async () => {
    const test = await following(3);
    test.platform.socket.receive({ type: 'project_left', project_id: 'P', data: { reason } });
    assert.deepEqual(test.ofType('project_left')[0].data, { reason });
    assert.equal(test.client.cursor('P'), null);
    test.platform.socket.event(4);
    test.platform.socket.receive({ type: 'typing', project_id: 'P', data: { user_id: 'u', task_id: 't' } });
    assert.deepEqual(test.seqs(), []);
    assert.deepEqual(test.ofType('typing'), []);
    await reconnect(test);
    assert.deepEqual(test.platform.socket.sent, []);
  });
}

test('access lost before the answer rejects the join', async () => {
  const { client, platform } = await connected();
  const joining = client.joinProject('P');
  platform.socket.receive({ type: 'project_left', project_id: 'P', data: { reason: 'revoked' } });
  await assert.rejects(joining, { code: 'revoked' });
});

test('a stop rejects joins that are not answered', async () => {
  const { client, platform } = await connected();
  const joining = client.joinProject('P');
  platform.socket.drop(4401);
  await assert.rejects(joining, { code: 4401 });
  assert.equal(client.state, 'closed');
});

test('disconnect keeps what is joined, for the next connect', async () => {
  const { client, platform } = await following(3);
  client.disconnect();
  client.connect();
  await settle();
  platform.socket.welcome();
  assert.deepEqual(platform.socket.ofType('join_project')[0].since, { epoch: 'e', seq: 3 });
});
