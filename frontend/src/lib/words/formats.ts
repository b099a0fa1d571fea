/** The browser's formatters, each made once: to make one takes longer than to draw a card. */
const made = new Map<string, unknown>();

function kept<T>(kind: string, language: string, options: object | undefined, make: () => T): T {
  const name = `${kind} ${language} ${JSON.stringify(options)}`;
  const found = (made.get(name) as T | undefined) ?? make();
  made.set(name, found);
  return found;
}

export const dateFormat = (language: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat =>
  kept('date', language, options, () => new Intl.DateTimeFormat(language, options));

export const numberFormat = (language: string, options?: Intl.NumberFormatOptions): Intl.NumberFormat =>
  kept('number', language, options, () => new Intl.NumberFormat(language, options));

/** "tomorrow" and "yesterday" where there is such a word. */
export const relativeFormat = (language: string): Intl.RelativeTimeFormat =>
  kept('relative', language, undefined, () => new Intl.RelativeTimeFormat(language, { numeric: 'auto' }));

export const pluralRules = (language: string): Intl.PluralRules =>
  kept('plural', language, undefined, () => new Intl.PluralRules(language));

export const collator = (language: string, options?: Intl.CollatorOptions): Intl.Collator =>
  kept('collator', language, options, () => new Intl.Collator(language, options));
