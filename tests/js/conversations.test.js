/** The protocol's examples, with the real client on one side; tests/integration/websocket/test_conversations.py plays the other. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { dialling } from './support/client.js';
import { settle } from './support/platform.js';

const file = new URL('../fixtures/protocol/conversations.json', import.meta.url);
const CONVERSATIONS = JSON.parse(readFileSync(file, 'utf8'));
const VALUES = {
  '<project>': 'P',
  '<unknown>': 'U',
  '<epoch>': 'e',
  '<number>': 25,
  '<time>': '2999-01-01T00:00:00.000Z',
};

/** The example with its names replaced by values. */
const fill = (pattern, bound) => {
  if (typeof pattern === 'string')
    return pattern.startsWith('<') ? (bound[pattern] ?? VALUES[pattern] ?? null) : pattern;
  if (Array.isArray(pattern)) return pattern.map((one) => fill(one, bound));
  if (pattern === null || typeof pattern !== 'object') return pattern;
  return Object.fromEntries(Object.entries(pattern).map(([name, value]) => [name, fill(value, bound)]));
};

/** What is done on the client's side; the rest happens to the server. */
const ACTIONS = {
  join: (client) => client.joinProject('P'),
  join_since_0: (client) => client.joinProject('P', { since: { epoch: 'e', seq: 0 } }),
  join_since_other_epoch: (client) => client.joinProject('P', { since: { epoch: 'other', seq: 7 } }),
  join_unknown: (client) => client.joinProject('U'),
  join_user: (client) => client.joinUser(),
  join_user_since_0: (client) => client.joinUser({ since: { epoch: '1', seq: 0 } }),
  leave: (client) => client.leaveProject('P'),
  ping: (client) => client.ping(),
  type_description: (client) => client.typing('P', 'U', 'description'),
};

for (const { name, steps } of CONVERSATIONS) {
  test(`the client keeps to the example: ${name}`, async () => {
    const { client, platform, heard } = await dialling();
    client.on('resync', () => {});
    let refused;
    for (const step of steps) {
      if (step.do) Promise.resolve(ACTIONS[step.do]?.(client)).catch((error) => (refused = error.code));
      if (step.client) {
        await settle();
        const { id, ...said } = platform.socket.sent.at(-1);
        VALUES[step.client.id] = id;
        const { id: _, ...example } = fill(step.client, {});
        assert.deepEqual(said, example);
      }
      if (step.server) platform.socket.receive(data(fill(step.server, {})));
      if (step.expect) {
        await settle();
        if ('cursor' in step.expect) assert.equal(client.cursor('P')?.seq ?? null, step.expect.cursor);
        if ('refused' in step.expect) assert.equal(refused, step.expect.refused);
        const types = heard.map((message) => message.type);
        for (const type of step.expect.heard ?? []) assert.ok(types.splice(types.indexOf(type), 1)[0] === type, type);
      }
    }
  });
}

/** An example that leaves its data open has the least that a server sends. */
const data = (message) => ({ ...message, data: message.data ?? { epoch: 'e', seq: 0, recovered: null, online: [] } });
