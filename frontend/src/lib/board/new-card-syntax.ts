/**
 * What the line of a new card says besides its title: `Pay @anna #bill !high ^doing tomorrow`.
 *
 * Pure. `@` leads a person, `#` a label, `!` a priority, `^` a column; a date needs no sign. What is not known stays in
 * the title, and so does anything behind a backslash, which is how a chip that is taken away is written.
 */

import { type DateContext, parseNaturalDate } from '../time/natural-date';
import type { Id, Priority } from '../types';
import { fold } from '../words/fold';
import type { NewCard } from './changes';

export type TokenKind = 'assignee' | 'label' | 'priority' | 'column' | 'due';

export interface Token {
  kind: TokenKind;
  /** Id of a person or a label, a priority, the key of a column, a due date. */
  value: string;
  name: string;
  start: number;
  end: number;
}

export interface Choice {
  value: string;
  name: string;
}

export interface SyntaxContext extends DateContext {
  people: readonly Choice[];
  labels: readonly Choice[];
  columns: readonly Choice[];
  /** In the language of the reader; English and Russian words are known besides. */
  priorities: readonly Choice[];
  me: Id | null;
}

export interface Parsed {
  title: string;
  tokens: Token[];
}

const SIGNS: Readonly<Record<string, TokenKind>> = { '@': 'assignee', '#': 'label', '!': 'priority', '^': 'column' };
/** Of these a card has one; the last that is written counts. */
const SINGLE: ReadonlySet<TokenKind> = new Set(['priority', 'column', 'due']);
const ME = ['me', 'я', 'мне'];
const PRIORITY_WORDS: ReadonlyArray<readonly [RegExp, Priority]> = [
  [/^(?:urgent|срочн(?:о|ый)|1)$/, 'urgent'],
  [/^(?:high|высокий|важно|2)$/, 'high'],
  [/^(?:medium|средний|3)$/, 'medium'],
  [/^(?:low|низкий|4)$/, 'low'],
];

const isBorder = (sign: string) => sign === '' || /[\s.,;:!?)(]/.test(sign);

export function parseNewCard(text: string, context: SyntaxContext): Parsed {
  const marked = markedTokens(text, context);
  const due = dueToken(text, marked, context);
  const tokens = [...marked, ...(due ? [due] : [])].sort((a, b) => a.start - b.start);
  return { title: titleOf(text, tokens), tokens };
}

/** What a token says, ready for the request. Of what a card has once, the last one. */
export function fieldsOf(tokens: readonly Token[]): Partial<NewCard> {
  const all = (kind: TokenKind) => [
    ...new Set(tokens.filter((token) => token.kind === kind).map(({ value }) => value)),
  ];
  const last = (kind: TokenKind) => all(kind).at(-1);
  const [assignees, labels] = [all('assignee'), all('label')];
  const [priority, column, due] = [last('priority'), last('column'), last('due')];
  return {
    ...(assignees.length > 0 && { assignee_ids: assignees }),
    ...(labels.length > 0 && { label_ids: labels }),
    ...(priority && { priority: priority as Priority }),
    ...(column && { status: column }),
    ...(due && { due }),
  };
}

/** The tokens that count: of what a card has once, the last; of the rest, each once. */
export function chipsOf(tokens: readonly Token[]): Token[] {
  return tokens.filter(({ kind, value }, index) => {
    const later = tokens.slice(index + 1);
    return !later.some((other) => other.kind === kind && (SINGLE.has(kind) || other.value === value));
  });
}

/** The text in which this is no token any more: its words are part of the title. */
export const withoutToken = (text: string, { start }: Token): string => `${text.slice(0, start)}\\${text.slice(start)}`;

function markedTokens(text: string, context: SyntaxContext): Token[] {
  const tokens: Token[] = [];
  for (const { index } of text.matchAll(/(?<![^\s(])[@#!^]/g)) {
    if (index < (tokens.at(-1)?.end ?? 0)) continue;
    const kind = SIGNS[text.charAt(index)] as TokenKind;
    const found = nameAt(text, index + 1, kind, context);
    if (found) tokens.push({ kind, value: found.value, name: found.name, start: index, end: index + 1 + found.length });
  }
  return tokens;
}

/** The longest name that stands there whole: names may have spaces. */
function nameAt(text: string, at: number, kind: TokenKind, context: SyntaxContext) {
  const rest = fold(text.slice(at));
  let best: (Choice & { length: number }) | null = null;
  for (const choice of choicesOf(kind, context)) {
    for (const name of spellings(choice, kind)) {
      const fits = name !== '' && rest.startsWith(name) && isBorder(rest.charAt(name.length));
      if (fits && name.length > (best?.length ?? 0)) best = { ...choice, length: name.length };
    }
  }
  return best ?? wordAt(rest, kind, context);
}

/** A person answers to the first name, a column to its key. */
function spellings({ name, value }: Choice, kind: TokenKind): string[] {
  const folded = fold(name);
  if (kind === 'assignee') return [folded, folded.split(' ')[0] ?? ''];
  return kind === 'column' ? [folded, fold(value)] : [folded];
}

/** Words that are nobody's name: `@me`, `!high`, `!1`. */
function wordAt(rest: string, kind: TokenKind, context: SyntaxContext) {
  const word = /^[\p{L}\p{N}]+/u.exec(rest)?.[0] ?? '';
  if (kind === 'assignee' && context.me && ME.includes(word)) {
    const me = context.people.find(({ value }) => value === context.me);
    return me ? { ...me, length: word.length } : null;
  }
  const priority = kind === 'priority' ? PRIORITY_WORDS.find(([pattern]) => pattern.test(word))?.[1] : undefined;
  const named = context.priorities.find(({ value }) => value === priority);
  return named ? { ...named, length: word.length } : null;
}

function choicesOf(kind: TokenKind, context: SyntaxContext): readonly Choice[] {
  return {
    assignee: context.people,
    label: context.labels,
    priority: context.priorities,
    column: context.columns,
    due: [],
  }[kind];
}

/** The last date outside the other tokens, if a sentence with it can only mean a date. */
function dueToken(text: string, taken: readonly Token[], context: SyntaxContext): Token | null {
  let plain = text;
  for (const { start, end } of taken) plain = blank(plain, start, end);
  // A date behind a backslash is text to its end, not to its first word.
  for (const { index } of text.matchAll(/(?<![^\s(])\\/g)) {
    const escaped = parseNaturalDate(plain.slice(index + 1), context);
    if (escaped?.start === 0) plain = blank(plain, index + 1, index + 1 + escaped.end);
  }
  let last: Token | null = null;
  for (;;) {
    const found = parseNaturalDate(plain, context);
    if (!found) return last;
    const { due, start, end, sure } = found;
    if (sure) last = { kind: 'due', value: due, name: text.slice(start, end), start, end };
    plain = blank(plain, start, end);
  }
}

const blank = (text: string, start: number, end: number) =>
  text.slice(0, start) + '\u0001'.repeat(end - start) + text.slice(end);

/** What is left without the tokens; a backslash before what would have been one goes, too. */
function titleOf(text: string, tokens: readonly Token[]): string {
  let title = '';
  let at = 0;
  for (const { start, end } of tokens) {
    title += text.slice(at, start);
    at = end;
  }
  return (title + text.slice(at))
    .replace(/(^|[\s(])\\(?=[@#!^\p{L}\p{N}])/gu, '$1')
    .replace(/\s+([.,;:!?)])/g, '$1')
    .replace(/\s+/g, ' ')
    .trim();
}

export interface Completion {
  kind: TokenKind;
  /** Where the sign stands, and where the caret is. */
  start: number;
  end: number;
  choices: Choice[];
}

/** Longest beginning of a name somebody would type before choosing. */
const QUERY_MAX = 40;
const SHOWN = 8;

/** What may be meant by the sign being typed at the caret; null where there is none, or it is whole already. */
export function completionAt(text: string, caret: number, context: SyntaxContext): Completion | null {
  const before = text.slice(0, caret);
  const match = /(?<![^\s(])([@#!^])([^@#!^\n]*)$/.exec(before);
  if (!match || (match[2]?.length ?? 0) > QUERY_MAX) return null;
  const kind = SIGNS[match[1] ?? ''] as TokenKind;
  const query = fold(match[2] ?? '');
  const begins = ({ name }: Choice) =>
    fold(name).startsWith(query) ||
    fold(name)
      .split(/\s+/)
      .some((word) => word.startsWith(query));
  const choices = choicesOf(kind, context).filter((choice) => query === '' || begins(choice));
  const isWhole = choices.some(({ name }) => fold(name) === query.trim()) && query !== '';
  return choices.length === 0 || isWhole
    ? null
    : { kind, start: match.index, end: caret, choices: choices.slice(0, SHOWN) };
}

/** The text with the choice put in, and where the caret goes. */
export function complete(text: string, { start, end }: Completion, { name }: Choice): { text: string; caret: number } {
  const head = `${text.slice(0, start + 1)}${name} `;
  return { text: head + text.slice(end).replace(/^ /, ''), caret: head.length };
}
