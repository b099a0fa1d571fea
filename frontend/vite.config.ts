/// <reference types="vitest/config" />
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vite';
import { chunkOf } from './chunks.ts';
import { clientOnly } from './client-only.ts';
import { compressed } from './compressed.ts';
import { drawnIcons } from './icons.ts';
import { compiledMessages } from './messages.ts';
import { precache, SERVICE_WORKER } from './precache.ts';

// The page is built into the Python package, which serves it. In development Vite serves it instead
// and passes everything else on to a running server (TIMETODO_API, by default ./dev run's address).
const server = process.env.TIMETODO_API ?? 'http://127.0.0.1:8000';
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The one place that has the product's version. */
function version(): string {
  const [, found] = /__version__ = "(.+)"/.exec(readFileSync(here('../app/__init__.py'), 'utf8')) ?? [];
  if (!found) throw new Error('app/__init__.py has no version');
  return found;
}

/** The page is empty until its script has run, which also knows the theme: nothing of another colour flashes before. */
function paintedWhenReady(): Plugin {
  const handler = (html: string) => html.replace('<script type="module"', '<script type="module" blocking="render"');
  return { name: 'painted-when-ready', apply: 'build', transformIndexHtml: { order: 'post', handler } };
}

export default defineConfig({
  base: '/',
  define: { __VERSION__: JSON.stringify(version()) },
  plugins: [compiledMessages(), drawnIcons(), svelte(), clientOnly(), paintedWhenReady(), precache(), compressed()],
  resolve: {
    alias: { $client: here('../static/js/websocket.js') },
    // Svelte's server build is what Node would choose for the component tests.
    ...(process.env.VITEST ? { conditions: ['browser'] } : {}),
  },
  build: {
    outDir: here('../app/web'),
    emptyOutDir: true,
    license: { fileName: 'licenses.md' },
    // Browsers that have no preloading of modules do without it.
    modulePreload: { polyfill: false },
    rolldownOptions: {
      optimization: { inlineConst: { mode: 'all', pass: 3 } },
      input: { index: here('index.html'), 'service-worker': here('service-worker/service-worker.ts') },
      output: {
        // Its address is its identity, so it has no hash.
        entryFileNames: ({ name }) => (name === 'service-worker' ? SERVICE_WORKER : 'assets/[name]-[hash].js'),
        codeSplitting: { includeDependenciesRecursively: false, groups: [{ name: chunkOf, debugName: 'chunks' }] },
      },
    },
  },
  server: {
    fs: { allow: [here('..')] },
    proxy: {
      '/api': { target: server, ws: true },
      '/static': { target: server },
      '/readyz': { target: server },
    },
  },
  test: {
    environment: 'happy-dom',
    include: ['tests/**/*.test.ts'],
    setupFiles: ['tests/setup.ts'],
    restoreMocks: true,
  },
});
