/** The module as a page on http://board.example loads it, from http://todo.example. */

import { register } from 'node:module';
import { FakePlatform } from './platform.js';

const source = new URL('../../../static/js/websocket.js', import.meta.url);
const hooks = `
  import { readFile } from 'node:fs/promises';
  export const resolve = (name, context, next) =>
    name.startsWith('http://todo.example/') ? { url: name, shortCircuit: true } : next(name, context);
  export const load = async (url, context, next) =>
    url.startsWith('http://todo.example/')
      ? { format: 'module', source: await readFile(new URL('${source}'), 'utf8'), shortCircuit: true }
      : next(url, context);
`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);

let loads = 0;

/** Loads the module anew, for one test, into a page that is still loading; `elements` are the selectors that match. */
export const loadInPage = async (test, elements = []) => {
  const page = new FakePlatform();
  const globals = {
    WebSocket: page.WebSocket,
    document: { visibilityState: 'visible', querySelector: (selector) => (elements.includes(selector) ? {} : null) },
    addEventListener: page.addEventListener.bind(page),
  };
  Object.assign(globalThis, globals);
  try {
    const module = await import(`http://todo.example/static/js/websocket.js?${++loads}`);
    test.after(() => module.wsClient.disconnect()); // its timers are real
    return { page, ...module, globalClient: globalThis.wsClient };
  } finally {
    for (const name of ['document', 'addEventListener', 'wsClient']) delete globalThis[name];
  }
};
