/** Puts values into a message that `messages.ts` has compiled: plain text, or parts. */
import { numberText, pluralRules } from './formats';

export type Values = Record<string, string | number>;
/** Text; a value as it is; the number that a plural is about; a number as it is written; a plural with its forms. */
export type Part = string | [name: string] | [] | [name: string, 'number'] | [name: string, Record<string, Part[]>];
export type Message = string | Part[];

/** The text in `language`; `count` is what the plural around is about. Throws where a value is missing. */
export function formatMessage(message: Message, language: string, values: Values = {}, count = 0): string {
  if (typeof message === 'string') return message;
  return message.map((part) => formatPart(part, language, values, count)).join('');
}

function formatPart(part: Part, language: string, values: Values, count: number): string {
  if (typeof part === 'string') return part;
  const [name, how] = part;
  if (name === undefined) return numberText(language, count);
  const value = values[name];
  if (value === undefined) throw new Error(`a message was not given its ${name}`);
  if (how === undefined) return String(value);
  const number = Number(value);
  if (how === 'number') return numberText(language, number);
  const form = how[`=${number}`] ?? how[pluralRules(language).select(number)] ?? how.other ?? [];
  return formatMessage(form, language, values, number);
}
