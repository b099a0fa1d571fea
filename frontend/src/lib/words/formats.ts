import type { Language } from '../types';

/** The language with the region the browser names for it, if it does: `en-GB` for `en`. */
export const localeOf = (language: Language, preferred: readonly string[] = navigator.languages ?? []): string =>
  preferred.find((tag) => tag.slice(0, 2).toLowerCase() === language) ?? language;

/** The browser's formatters, each made once: to make one takes longer than to draw a card. */
const made = new Map<string, unknown>();

function kept<T>(kind: string, language: string, options: object | undefined, make: () => T): T {
  const name = `${kind} ${language} ${JSON.stringify(options)}`;
  const found = (made.get(name) as T | undefined) ?? make();
  made.set(name, found);
  return found;
}

/** A date of the page is written as in the reader's region: "3 Dec, 16:30" in Britain. `en-CA` and the like are as they are. */
export const dateFormat = (language: string, options: Intl.DateTimeFormatOptions = {}): Intl.DateTimeFormat => {
  const locale = language === 'en' || language === 'ru' ? localeOf(language) : language;
  return kept('date', locale, options, () => new Intl.DateTimeFormat(locale, options));
};

/** Whether 5/6 is the sixth of May there. */
export const monthComesFirst = (language: Language): boolean => {
  const order = dateFormat(language)
    .formatToParts()
    .map(({ type }) => type);
  return order.indexOf('month') < order.indexOf('day') && order.indexOf('year') > order.indexOf('month');
};

export const numberFormat = (language: string, options?: Intl.NumberFormatOptions): Intl.NumberFormat =>
  kept('number', language, options, () => new Intl.NumberFormat(language, options));

/** A number as it is written. A small whole one is so everywhere, and a browser's first formatter takes long to make. */
export const numberText = (language: string, value: number): string =>
  Number.isInteger(value) && value >= 0 && value < 1_000 ? String(value) : numberFormat(language).format(value);

/** "tomorrow" and "yesterday" where there is such a word. */
export const relativeFormat = (language: string): Intl.RelativeTimeFormat =>
  kept('relative', language, undefined, () => new Intl.RelativeTimeFormat(language, { numeric: 'auto' }));

export const pluralRules = (language: string): Intl.PluralRules =>
  kept('plural', language, undefined, () => new Intl.PluralRules(language));

export const collator = (language: string, options?: Intl.CollatorOptions): Intl.Collator =>
  kept('collator', language, options, () => new Intl.Collator(language, options));
