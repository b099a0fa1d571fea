/** Tells the service worker which files the page is made of, and names just these contents. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

export const SERVICE_WORKER = 'service-worker.js';
/** Read by people and crawlers, not by the page. */
const LEFT_OUT = /\.map$|^licenses\.md$|^robots\.txt$/;

export function precache(): Plugin {
  let publicFolder = '';
  return {
    name: 'precache',
    apply: 'build',
    enforce: 'post',
    configResolved(config) {
      publicFolder = config.publicDir;
    },
    generateBundle(_options, bundle) {
      const worker = bundle[SERVICE_WORKER];
      if (worker?.type !== 'chunk') throw new Error(`the build made no ${SERVICE_WORKER}`);
      const hash = createHash('sha256');
      const files = ['/'];
      for (const name of readdirSync(publicFolder).toSorted()) {
        if (LEFT_OUT.test(name)) continue;
        files.push(`/${name}`);
        hash.update(readFileSync(join(publicFolder, name)));
      }
      for (const [name, file] of Object.entries(bundle).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
        if (file === worker || LEFT_OUT.test(name)) continue;
        if (name !== 'index.html') files.push(`/${name}`);
        hash.update(file.type === 'chunk' ? file.code : file.source);
      }
      const version = hash.digest('hex').slice(0, 16);
      worker.code = worker.code.replaceAll('__PRECACHE__', JSON.stringify({ version, files }));
    },
  };
}
