import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse as parseMessage } from '@formatjs/icu-messageformat-parser';
import { parse } from 'svelte/compiler';
import { describe, expect, test } from 'vitest';
import { compileMessage, composedKeys, withNumbers } from '../messages';
import { numberText } from '../src/lib/words/formats';
import { firstLanguage, i18n, type MessageKey, t } from '../src/lib/words/i18n.svelte';
import { formatMessage } from '../src/lib/words/message-format';

const source = resolve(import.meta.dirname, '../src');
const files = (ending: string) =>
  readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith(ending));
const read = (file: string) => readFileSync(join(source, file), 'utf8');
/** As the translators wrote them: an import is compiled. */
const catalogue = (code: string): Record<MessageKey, string> => ({
  ...JSON.parse(read(`messages/${code}.json`)),
  ...JSON.parse(read(`messages/later.${code}.json`)),
});
const [en, ru] = [catalogue('en'), catalogue('ru')];

/** Names of the values a message takes, and the plural forms it has. */
function shape(message: string) {
  const names = new Set<string>();
  const plurals: string[][] = [];
  const walk = (nodes: ReturnType<typeof parseMessage>) => {
    for (const node of nodes) {
      if ('value' in node && node.type !== 0) names.add(node.value);
      if ('options' in node) {
        plurals.push(Object.keys(node.options));
        for (const option of Object.values(node.options)) walk(option.value);
      }
    }
  };
  walk(parseMessage(message));
  return { names: [...names].sort(), plurals };
}

describe('the messages', () => {
  test('are the same in both languages', () => {
    expect(Object.keys(ru).sort()).toEqual(Object.keys(en).sort());
  });

  test('are all translated', () => {
    const cyrillic = /[а-яё]/i;
    const same = Object.entries(ru).filter(([, text]) => !cyrillic.test(text.replace(/\{\w+\}/g, '')));
    expect(same.map(([key]) => key)).toEqual(['app.name', 'ui.more', 'notify.channel_push']);
  });

  test.each(Object.keys(en) as MessageKey[])('%s takes the same values in both, and every plural form', (key) => {
    const [english, russian] = [shape(en[key]), shape(ru[key])];
    expect(russian.names).toEqual(english.names);
    for (const forms of english.plurals) expect(forms).toEqual(expect.arrayContaining(['one', 'other']));
    for (const forms of russian.plurals) expect(forms).toEqual(expect.arrayContaining(['one', 'other']));
  });

  test('are all used, and nothing is asked for that is not there', () => {
    const code = [...files('.svelte'), ...files('.ts')].map(read).join('\n');
    const built = composedKeys(code);
    const unused = Object.keys(en).filter((key) => !code.includes(`'${key}'`) && !built.test(key));
    expect(unused).toEqual([]);
  });
});

describe('a key that the build replaces by a number', () => {
  const numbers = new Map([['card.due', 7]]);

  test.each([
    ["t('card.due')", 't(7)'],
    ['{ title: "card.due" }', '{ title: 7 }'],
    ["t('card.dues')", "t('card.dues')"],
    ["'see card.due'", "'see card.due'"],
  ])('stands alone: %s', (code, built) => {
    expect(withNumbers(code, numbers)).toBe(built);
  });

  test('is nothing but a key, and one that is put together begins as it is written', () => {
    const code = [...files('.svelte'), ...files('.ts')].map(read).join('\n');
    const stored = [...code.matchAll(/KEY = '([^']+)'|remember(?:ed)?\('([^']+)'/g)].map(([, a, b]) => a ?? b);
    expect(stored.length).toBeGreaterThan(0);
    expect(stored.filter((name) => name && name in en)).toEqual([]);
    expect(code).not.toMatch(/\bt\(`\$\{/);
  });
});

describe('a key that is put together while the page runs', () => {
  const isOne = (code: string, key: string) => composedKeys(code).test(key);

  test.each([
    [`t(\`role.\${role}\`)`, 'role.owner', true],
    [`t(\`role.\${role}\`)`, 'roles.owner', false],
    [`t(\`admin.do_\${what}_title\`)`, 'admin.do_promote_title', true],
    [`t(\`admin.do_\${what}_title\`)`, 'admin.do_promote', false],
    [`t(\`diagnostics.\${name}_\${code}\`)`, 'diagnostics.clock_fine', true],
  ])('keeps its name: %s, %s', (code, key, kept) => {
    expect(isOne(code, key)).toBe(kept);
  });
});

describe('t', () => {
  test('follows the plural rules of Russian', () => {
    i18n.language = 'ru';
    const texts = [1, 2, 5, 11, 21, 22, 25].map((count) => t('column.cards', { count }));
    expect(texts).toEqual([
      '1 карточка',
      '2 карточки',
      '5 карточек',
      '11 карточек',
      '21 карточка',
      '22 карточки',
      '25 карточек',
    ]);
  });

  test('writes the number of a plural as the language does', () => {
    expect(t('column.cards', { count: 12_345 })).toBe('12,345 cards');
  });

  test.each([0, 999, 1_000, 1.5, -1])('writes %d as the language does', (count) => {
    expect(numberText('ru', count)).toBe(new Intl.NumberFormat('ru').format(count));
  });

  test('does not hide that a value was not given', () => {
    expect(() => t('action.delete_named')).toThrow('name');
  });

  test('puts in what people typed as it is, braces and tags included', () => {
    expect(t('action.delete_named', { name: '<b>{x}</b>' })).toBe('Delete “<b>{x}</b>”');
  });
});

describe('a message that is compiled', () => {
  const say = (text: string, values = {}) => formatMessage(compileMessage(text), 'en', values);

  test('keeps quotes, tags and the forms of exact numbers', () => {
    expect(say("it''s '{'x'}' <b>")).toBe("it's {x} <b>");
    const cards = '{count, plural, =0 {none of {all, number}} one {# card} other {# cards}}';
    expect([0, 1, 2].map((count) => say(cards, { count, all: 1_000 }))).toEqual(['none of 1,000', '1 card', '2 cards']);
  });

  test('has the form of all others once', () => {
    const cards = '{count, plural, =1 {# cards} one {# card} few {# cards} other {# cards}}';
    const others = [[], ' cards'];
    expect(compileMessage(cards)).toEqual([['count', { '=1': others, one: [[], ' card'], other: others }]]);
  });

  test.each(['{when, date}', '{n, number, percent}', '{n, selectordinal, other {#}}'])('has no %s', (text) => {
    expect(() => compileMessage(text)).toThrow('cannot format');
  });
});

test('the first language is the last one used, else the browser’s, else English', () => {
  expect(firstLanguage('ru', ['en'])).toBe('ru');
  expect(firstLanguage(null, ['uk', 'ru-RU', 'en'])).toBe('ru');
  expect(firstLanguage('xx', ['de'])).toBe('en');
});

describe('no literal text stands in a component', () => {
  const SPOKEN = new Set(['aria-label', 'title', 'placeholder', 'alt', 'label', 'hint', 'text', 'action', 'empty']);
  const ALLOWED = /^[\s·:+/,–—-]*$/;

  /** Words between tags and in attributes that are read out or shown. */
  function literals(file: string): string[] {
    const found: string[] = [];
    const visit = (node: unknown): void => {
      if (Array.isArray(node)) {
        for (const item of node) visit(item);
        return;
      }
      if (typeof node !== 'object' || node === null) return;
      const { type, name, data, value } = node as { type?: string; name?: string; data?: string; value?: unknown };
      if (type === 'Text' && data !== undefined && !ALLOWED.test(data)) found.push(data.trim());
      // A size or a colour, not a word.
      if (type === 'StyleDirective') return;
      if (type === 'Attribute') {
        if (SPOKEN.has(name ?? '')) visit(value);
        return;
      }
      for (const [key, child] of Object.entries(node))
        if (key !== 'css' && key !== 'instance' && key !== 'module') visit(child);
    };
    visit(parse(read(file), { modern: true }).fragment);
    return found;
  }

  // The gallery is for who builds the page, and in no build.
  const shown = files('.svelte').filter((file) => !/gallery/i.test(file));

  test.each(shown)('%s', (file) => {
    expect(literals(file)).toEqual([]);
  });
});
