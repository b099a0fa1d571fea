/** Puts values into a message that `messages.ts` has compiled: plain text, or parts. */

export type Values = Record<string, string | number>;
/** Text; a value as it is; the number that a plural is about; a number as it is written; a plural with its forms. */
export type Part = string | [name: string] | [] | [name: string, 'number'] | [name: string, Record<string, Part[]>];
export type Message = string | Part[];

const rules = new Map<string, Intl.PluralRules>();
const numbers = new Map<string, Intl.NumberFormat>();

function kept<T>(made: Map<string, T>, language: string, make: () => T): T {
  const found = made.get(language) ?? make();
  made.set(language, found);
  return found;
}

const written = (value: number, language: string) =>
  kept(numbers, language, () => new Intl.NumberFormat(language)).format(value);
const pluralOf = (value: number, language: string) =>
  kept(rules, language, () => new Intl.PluralRules(language)).select(value);

/** The text in `language`; `count` is what the plural around is about. Throws where a value is missing. */
export function formatMessage(message: Message, language: string, values: Values = {}, count = 0): string {
  if (typeof message === 'string') return message;
  return message.map((part) => formatPart(part, language, values, count)).join('');
}

function formatPart(part: Part, language: string, values: Values, count: number): string {
  if (typeof part === 'string') return part;
  const [name, how] = part;
  if (name === undefined) return written(count, language);
  const value = values[name];
  if (value === undefined) throw new Error(`a message was not given its ${name}`);
  if (how === undefined) return String(value);
  const number = Number(value);
  if (how === 'number') return written(number, language);
  const form = how[`=${number}`] ?? how[pluralOf(number, language)] ?? how.other ?? [];
  return formatMessage(form, language, values, number);
}
