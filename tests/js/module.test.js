import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createClient, wsClient } from '../../static/js/websocket.js';
import { loadInPage } from './support/page.js';
import { settle } from './support/platform.js';

const read = (name) => readFile(new URL(`../../static/js/${name}`, import.meta.url), 'utf8');

test('the module is at most 5.25 kB compressed, as it is served', async () => {
  const { length } = gzipSync(await read('websocket.js'), { level: 9 });
  assert.ok(length <= 5.25 * 1024, `${length} bytes`);
});

test('the declared interface names exactly what a client has', async () => {
  const [, body] = /export interface Client \{\n(.*?)\n\}/s.exec(await read('websocket.d.ts'));
  const declared = [...body.matchAll(/^ {2}(?:readonly )?(\w+)[(:]/gm)].map(([, name]) => name);
  assert.deepEqual(declared.sort(), Object.keys(createClient()).sort());
});

test('outside a page, loading the module does nothing', () => {
  assert.equal(wsClient.state, 'idle');
  assert.ok(!('wsClient' in globalThis));
});

test('in a page, wsClient connects by itself to the server that the module came from', async (t) => {
  const { page, wsClient } = await loadInPage(t);
  assert.equal(wsClient.state, 'idle');
  page.wake('DOMContentLoaded');
  await settle();
  assert.equal(page.socket.url, 'ws://todo.example/api/v1/ws');
  page.wake('pageshow');
  await settle();
  assert.equal(page.sockets.length, 1);
});

test('in a page, classic scripts find wsClient as a global', async (t) => {
  const { wsClient, globalClient } = await loadInPage(t);
  assert.equal(globalClient, wsClient);
});

test('what a script of the page configures before it has loaded counts for the first dial', async (t) => {
  const { page, wsClient } = await loadInPage(t);
  wsClient.configure({ token: 'jwt' });
  page.wake('DOMContentLoaded');
  await settle();
  assert.deepEqual(page.socket.protocols, ['timetodo.v1', 'bearer.jwt']);
});

test('a module loaded after DOMContentLoaded connects when the page is shown', async (t) => {
  const { page } = await loadInPage(t);
  page.wake('pageshow');
  await settle();
  assert.equal(page.sockets.length, 1);
});

for (const [name, prepare] of [
  ['an element that says data-autoconnect="off"', (t) => loadInPage(t, ['[data-autoconnect=off]'])],
  [
    'configure({ autoconnect: false })',
    async (t) => {
      const loaded = await loadInPage(t);
      loaded.wsClient.configure({ autoconnect: false });
      return loaded;
    },
  ],
  [
    'disconnect',
    async (t) => {
      const loaded = await loadInPage(t);
      loaded.wsClient.disconnect();
      return loaded;
    },
  ],
]) {
  test(`${name} keeps wsClient from connecting by itself`, async (t) => {
    const { page, wsClient } = await prepare(t);
    for (const event of ['DOMContentLoaded', 'pageshow', 'online', 'visibilitychange']) page.wake(event);
    await settle();
    assert.equal(page.sockets.length, 0);
    wsClient.connect();
    await settle();
    assert.equal(page.sockets.length, 1);
  });
}

test("a client of one's own does not connect by itself", async (t) => {
  const { page, createClient } = await loadInPage(t);
  createClient();
  page.wake('DOMContentLoaded');
  await settle();
  assert.equal(page.sockets.length, 1, 'only that of wsClient');
});
