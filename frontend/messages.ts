/** Compiles the ICU messages while the page is built: the parser is larger than all that it reads. */
import { type MessageFormatElement, parse, TYPE } from '@formatjs/icu-messageformat-parser';
import type { Plugin } from 'vite';
import type { Message, Part } from './src/lib/words/message-format.ts';

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

const forms = (options: Record<string, { value: MessageFormatElement[] }>) =>
  Object.fromEntries(Object.entries(options).map(([name, { value }]) => [name, value.map(part)]));

export function compiledMessages(): Plugin {
  return {
    name: 'compiled-messages',
    enforce: 'pre',
    transform(source, id) {
      if (!CATALOGUE.test(id)) return null;
      const texts = Object.entries(JSON.parse(source) as Record<string, string>);
      // Still JSON: Vite makes a module of it.
      return {
        code: JSON.stringify(Object.fromEntries(texts.map(([key, text]) => [key, compileMessage(text)]))),
        map: null,
      };
    },
  };
}
