/**
 * Compiles the ICU messages while the page is built: a parser is larger than the texts. What is left is data, in files of
 * JSON for each language, which the page fetches.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type MessageFormatElement, parse, TYPE } from '@formatjs/icu-messageformat-parser';
import type { Plugin } from 'vite';
import type { Message, Part } from './src/lib/words/message-format.ts';

/** Where the files are. */
const MESSAGES = 'virtual:messages';
const LANGUAGES = ['en', 'ru'];
/** What every page needs, and what comes with parts that are opened later: the files of one language, in this order. */
const PARTS = ['', 'later.'];

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
/** The keys that `code` puts together while the page runs, as patterns: `priority.${value}`. */
export function composedKeys(code: string): RegExp {
  const templates = code.matchAll(/`([a-z_]+\.[a-z_]*(?:\$\{[^`]*?\}[a-z_]*)+)`/g);
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

interface Compiled {
  numbers: ReadonlyMap<string, number>;
  file: (part: string, language: string) => string;
}

/**
 * Puts numbers in the place of the keys that the code has as they are, since names would be a third of what is sent. Both
 * languages have the order of the English file.
 */
function compile(isNamed: (key: string) => boolean): Compiled {
  const keysOf = (part: string) => Object.keys(catalogue(`${part}en`));
  const numbered = PARTS.flatMap(keysOf).filter((key) => !isNamed(key));
  const file = (part: string, language: string) => {
    const texts = catalogue(part + language);
    const messages = keysOf(part).map((key) => [key, compileMessage(texts[key] ?? '')] as const);
    const list = messages.filter(([key]) => !isNamed(key)).map(([, message]) => message);
    return JSON.stringify({ list, named: Object.fromEntries(messages.filter(([key]) => isNamed(key))) });
  };
  return { numbers: new Map(numbered.map((key, number) => [key, number])), file };
}

export function compiledMessages(): Plugin[] {
  let build = false;
  let compiled: Compiled;
  return [
    {
      name: 'compiled-messages',
      configResolved({ command }) {
        build = command === 'build';
      },
      buildStart() {
        const composed = composedKeys(allCode());
        compiled = compile((key) => !build || composed.test(key));
      },
      resolveId: (id) => (id === MESSAGES ? `\0${id}` : null),
      load(id) {
        if (id !== `\0${MESSAGES}`) return null;
        /** The address of a file as an expression. Without a build the file is in the address itself. */
        const address = (part: string, language: string) => {
          const [name, source] = [`${part}${language}.json`, compiled.file(part, language)];
          this.addWatchFile(fileURLToPath(new URL(`messages/${name}`, FOLDER)));
          if (!build) return JSON.stringify(`data:application/json,${encodeURIComponent(source)}`);
          return `import.meta.ROLLUP_FILE_URL_${this.emitFile({ type: 'asset', name, source })}`;
        };
        const files = LANGUAGES.map((code) => `${code}: [${PARTS.map((part) => address(part, code))}]`);
        return `export const FILES = {${files}};`;
      },
    },
    {
      name: 'numbered-messages',
      apply: 'build',
      // Once it is JavaScript.
      enforce: 'post',
      transform(code, id) {
        return /\/src\/.*\.(svelte|ts)$/.test(id) ? { code: withNumbers(code, compiled.numbers), map: null } : null;
      },
    },
  ];
}
