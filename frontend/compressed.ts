/** Lays beside each text of the built page what the server sends in its place: compressed once, as well as can be. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

const TEXTS = /\.(js|json|css|html|svg|webmanifest)$/;
/** What fits into one packet is as quick as it is. */
const LEAST_BYTES = 1_024;
const WAYS = { br: brotliCompressSync, gz: (text: Buffer) => gzipSync(text, { level: 9 }) };

export function compressed(): Plugin {
  let folder = '';
  return {
    name: 'compressed',
    apply: 'build',
    configResolved(config) {
      folder = config.build.outDir;
    },
    closeBundle() {
      for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
        if (!TEXTS.test(name)) continue;
        const text = readFileSync(join(folder, name));
        if (text.length < LEAST_BYTES) continue;
        for (const [ending, compress] of Object.entries(WAYS))
          writeFileSync(join(folder, `${name}.${ending}`), compress(text));
      }
    },
  };
}
