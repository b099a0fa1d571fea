import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connected, following, newClient } from './support/client.js';
import { settle } from './support/platform.js';

const TYPES = {
  task: ['created', 'updated', 'moved', 'deleted', 'assigned', 'restored'].map((verb) => `task_${verb}`),
  comment: ['comment_added', 'comment_updated', 'comment_deleted'],
  project: [
    ...['project_updated', 'project_deleted', 'project_restored'],
    ...['project_member_added', 'project_member_updated', 'project_member_removed'],
    ...['column_created', 'column_updated', 'column_deleted'],
    ...['label_created', 'label_updated', 'label_deleted'],
  ],
  user: ['user_online', 'user_offline', 'typing', 'viewing'],
  system: ['error', 'ping', 'pong', 'authenticated', 'project_joined', 'project_left', 'user_joined', 'reconnect'],
};

for (const [group, types] of Object.entries(TYPES)) {
  for (const type of types) {
    test(`${type} reaches the handlers of ${group}, of itself and of everything, and no other`, async () => {
      const { client, platform } = await following(0);
      const heard = [];
      for (const name of [...Object.keys(TYPES), type, '*']) {
        client.on(name, (message) => message.type === type && heard.push(name));
      }
      const durable = ['task', 'comment', 'project'].includes(group);
      platform.socket.receive({ type, project_id: 'P', seq: durable ? 1 : undefined, data: { code: 'internal' } });
      assert.deepEqual(heard.sort(), [group, type, '*'].sort());
    });
  }
}

test('welcome reaches the handlers of system with all that the server sent', async () => {
  const { client, platform } = newClient();
  const heard = [];
  client.on('system', (message) => heard.push(message));
  client.connect();
  await settle();
  platform.socket.welcome({ user: { id: 'u', name: 'Ann' } });
  assert.equal(heard[0].data.user.name, 'Ann');
});

test('handlers get the whole message, as it came', async () => {
  const { client, platform } = await following(0);
  const message = {
    type: 'task_moved',
    project_id: 'P',
    seq: 1,
    timestamp: '2026-11-22T10:00:00.123Z',
    user_id: 'u',
    op_id: 'o',
    data: { task_id: 't', status: 'done', changes: ['status'] },
  };
  let got;
  client.on('task', (task) => {
    got = task;
  });
  platform.socket.receive(message);
  assert.deepEqual(got, message);
});

test('the function that on returns stops its own handler and no other', async () => {
  const { client, platform } = await following(0);
  const heard = [];
  const handler = () => heard.push('first');
  const stop = client.on('task', handler);
  client.on('task', () => heard.push('second'));
  stop();
  stop();
  platform.socket.event(1);
  assert.deepEqual(heard, ['second']);
});

test('a handler may stop itself, and may add another that begins with the next event', async () => {
  const { client, platform } = await following(0);
  const heard = [];
  const stop = client.on('task', ({ seq }) => {
    heard.push(`old ${seq}`);
    stop();
    client.on('task', (next) => heard.push(`new ${next.seq}`));
  });
  for (const seq of [1, 2]) platform.socket.event(seq);
  assert.deepEqual(heard, ['old 1', 'new 2']);
});

for (const [name, fail] of [
  [
    'throws',
    () => {
      throw new Error('broken');
    },
  ],
  ['rejects', () => Promise.reject(new Error('broken'))],
]) {
  test(`a handler that ${name} stops neither the others nor the events after it, and is told`, async () => {
    const { client, platform, seqs } = await following(0);
    const heard = [];
    client.on('task', fail);
    client.on('task', ({ seq }) => heard.push(seq));
    for (const seq of [1, 2]) platform.socket.event(seq);
    await settle();
    assert.deepEqual(heard, [1, 2]);
    assert.deepEqual(seqs(), [1, 2]);
    assert.deepEqual(client.cursor('P'), { epoch: 'e', seq: 2 });
    assert.match(platform.complaints[0], /"task" handler: Error: broken/);
  });
}

for (const text of ['', 'hello', 'null', '7', '[]', '{}', '{"type":7}', '{"type":"__proto__"}']) {
  test(`the frame ${JSON.stringify(text)} is ignored with one warning`, async () => {
    const { client, platform, heard } = await following(0);
    const before = heard.length;
    for (let n = 0; n < 3; n++) platform.socket.receiveText(text);
    platform.socket.event(1);
    assert.equal(heard.length, before + 1);
    assert.equal(platform.complaints.length, 1);
    assert.equal(client.state, 'open');
  });
}

test('a binary frame is ignored with one warning', async () => {
  const { platform } = await following(0);
  for (let n = 0; n < 3; n++) platform.socket.receiveText(new Blob(['{}']));
  assert.equal(platform.complaints.length, 1);
});

test('a type that is unknown and has no number is ignored, with one warning for each', async () => {
  const { platform, heard } = await following(0);
  const before = heard.length;
  for (const type of ['news', 'news', 'weather']) platform.socket.receive({ type, project_id: 'P', data: {} });
  assert.equal(heard.length, before);
  assert.deepEqual(platform.complaints, ['wsClient: ignored "news".', 'wsClient: ignored "weather".']);
});

for (const seq of ['1', 1.5, null, {}]) {
  test(`an event numbered ${JSON.stringify(seq)} is not handed on`, async () => {
    const { client, platform, ofType } = await following(0);
    platform.socket.event(seq);
    assert.deepEqual(ofType('task_updated'), []);
    assert.equal(platform.socket.ofType('join_project').length, 1);
    assert.deepEqual(client.cursor('P'), { epoch: 'e', seq: 0 });
  });
}

for (const message of [
  { type: 'ping', data: { heads: 'many' } },
  { type: 'ping', data: { heads: { P: 'many', __proto__: 7 } } },
  { type: 'project_joined', project_id: 'P' },
  { type: 'project_left' },
  { type: 'user_online', project_id: 'P' },
  { type: 'presence', project_id: 'P', data: { online: 5 } },
  { type: 'resync', project_id: 'P', data: null },
  { type: 'reconnect' },
  { type: 'error' },
  { type: 'authenticated', data: { token_expires_at: 'soon' } },
]) {
  test(`${JSON.stringify(message)} breaks nothing`, async () => {
    const { client, platform, seqs } = await connected();
    client.joinProject('Q');
    platform.socket.answerJoin({ seq: 3 });
    platform.socket.receive(message);
    platform.socket.event(4, { project_id: 'Q' });
    assert.deepEqual(seqs(), [4]);
    assert.equal(client.state, 'open');
  });
}

test("an error that answers nothing is told in the server's words", async () => {
  const { platform } = await connected();
  platform.socket.receive({ type: 'error', data: { code: 'rate_limited', message: 'slow down' } });
  assert.deepEqual(platform.complaints, ['wsClient: the server says rate_limited: slow down']);
});

test('the methods need no `this`', async () => {
  const { client, platform } = await connected();
  const { joinProject, on, cursor } = client;
  let seen;
  on('task', ({ seq }) => {
    seen = seq;
  });
  joinProject('P');
  platform.socket.answerJoin();
  platform.socket.event(1);
  assert.equal(seen, 1);
  assert.equal(cursor('P').seq, 1);
});
