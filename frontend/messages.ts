/** Compiles the ICU messages while the page is built, and numbers them: parser and names are larger than the texts. */
import { readdirSync, readFileSync } from 'node:fs';
import { type MessageFormatElement, parse, TYPE } from '@formatjs/icu-messageformat-parser';
import type { Plugin } from 'vite';
import type { Message, Part } from './src/lib/words/message-format.ts';

/** Which number a key has, where it is a name when the page runs. */
const NUMBERS = 'virtual:message-numbers';
const CATALOGUE = /\/src\/messages\/(?:\w+\.)?\w+\.json$/;

/** A message as `formatMessage` wants it. Throws where it has something that the page has no code for. */
export function compileMessage(text: string): Message {
  const parts = parse(text, { ignoreTag: true }).map(part);
  return parts.every((one) => typeof one === 'string') ? parts.join('') : parts;
}

function part(node: MessageFormatElement): Part {
  switch (node.type) {
    case TYPE.literal:
      return node.value;
    case TYPE.argument:
      return [node.value];
    case TYPE.pound:
      return [];
    case TYPE.number:
      if (!node.style) return [node.value, 'number'];
      break;
    case TYPE.plural:
      if (!node.offset && node.pluralType === 'cardinal') return [node.value, forms(node.options)];
  }
  throw new Error(`a message has what the page cannot format: ${JSON.stringify(node)}`);
}

/** The forms of a plural: one that says what `other` says is that one. */
function forms(options: Record<string, { value: MessageFormatElement[] }>): Record<string, Part[]> {
  const all = Object.entries(options).map(([name, { value }]) => [name, value.map(part)] as const);
  const other = JSON.stringify(all.find(([name]) => name === 'other')?.[1]);
  return Object.fromEntries(all.filter(([name, parts]) => /^(other|=)/.test(name) || JSON.stringify(parts) !== other));
}

const FOLDER = new URL('./src/', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, FOLDER), 'utf8');
const catalogue = (file: string) => JSON.parse(read(`messages/${file}.json`)) as Record<string, string>;
/** Those of the parts that come later stand last. */
const keysOf = (file: string) => Object.keys(catalogue(file));
/** Every key: its place is the number of its message. */
const allKeys = () => new Map([...keysOf('en'), ...keysOf('inbox.en')].map((key, number) => [key, number]));

/** Messages as a list in the order of the keys: names would be a third of what is sent. */
function numbered(source: string, later: boolean): Message[] {
  const texts = JSON.parse(source) as Record<string, string>;
  return keysOf(later ? 'inbox.en' : 'en').map((key) => compileMessage(texts[key] ?? ''));
}

/** The keys that `code` puts together while the page runs, as patterns: `priority.${value}`, but not a draft's name. */
export function composedKeys(code: string): RegExp {
  const templates = code.matchAll(/(?<!draftOf\([^`\n]*)`([a-z_]+\.[a-z_]*(?:\$\{[^`]*?\}[a-z_]*)+)`/g);
  const patterns = [...templates].map(([, text]) =>
    (text as string).replaceAll('.', '\\.').replace(/\$\{.*?\}/g, '.+'),
  );
  return new RegExp(`^(?:${[...new Set(patterns)].join('|')})$`);
}

/** All the code of the page. */
const allCode = () =>
  readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(svelte|ts)$/.test(name))
    .map(read)
    .join('\n');

/** The code with numbers in the place of the keys that stand in it as they are. */
export function withNumbers(code: string, numbers: ReadonlyMap<string, number>): string {
  return code.replace(/(["'`])([a-z_]+\.[a-z0-9_]+)\1/g, (found, _quote, key) => String(numbers.get(key) ?? found));
}

export function compiledMessages(): Plugin[] {
  let build = false;
  let numbers: ReadonlyMap<string, number>;
  const configResolved = ({ command }: { command: string }) => {
    build = command === 'build';
  };
  return [
    {
      name: 'compiled-messages',
      enforce: 'pre',
      configResolved,
      resolveId: (id) => (id === NUMBERS ? `\0${id}` : null),
      load(id) {
        if (id !== `\0${NUMBERS}`) return null;
        const wanted = build ? composedKeys(allCode()) : /./;
        const named = [...allKeys().keys()].map((key) => (wanted.test(key) ? key : ''));
        return `export default Object.fromEntries('${named}'.split(',').map((key, number) => [key, number]))`;
      },
      transform(source, id) {
        if (!CATALOGUE.test(id)) return null;
        // Still JSON: Vite makes a module of it.
        return { code: JSON.stringify(numbered(source, id.includes('/inbox.'))), map: null };
      },
    },
    {
      name: 'numbered-messages',
      apply: 'build',
      // Once it is JavaScript.
      enforce: 'post',
      buildStart() {
        numbers = allKeys();
      },
      transform(code, id) {
        return /\/src\/.*\.(svelte|ts)$/.test(id) ? { code: withNumbers(code, numbers), map: null } : null;
      },
    },
  ];
}
