/**
 * The words of the page. Messages are ICU MessageFormat, one flat JSON file a language, which a translator
 * edits without touching code; plural forms follow the language's own rules.
 */
import { IntlMessageFormat } from 'intl-messageformat';
import en from '../messages/en.json';
import ru from '../messages/ru.json';
import { remember, remembered } from './storage';
import type { Language } from './types';

export type MessageKey = keyof typeof en;
export type Values = Record<string, string | number>;

const CATALOGUES: Record<Language, Record<MessageKey, string>> = { en, ru };
export const LANGUAGES: ReadonlyArray<{ code: Language; name: string }> = [
  { code: 'en', name: 'English' },
  { code: 'ru', name: 'Русский' },
];

const isLanguage = (value: unknown): value is Language => value === 'en' || value === 'ru';

/** The language to begin with: the one used last here, else the first of the browser's that we speak. */
export function firstLanguage(last: string | null, preferred: readonly string[]): Language {
  if (isLanguage(last)) return last;
  return preferred.map((tag) => tag.slice(0, 2).toLowerCase()).find(isLanguage) ?? 'en';
}

let language = $state<Language>(firstLanguage(remembered('language'), navigator.languages ?? []));
const formats = new Map<string, IntlMessageFormat>();

export const i18n = {
  get language(): Language {
    return language;
  },
  set language(value: Language) {
    language = value;
    remember('language', value);
  },
};

/** The message in the current language. Read inside a component it changes with the language. */
export function t(key: MessageKey, values?: Values): string {
  const message = CATALOGUES[language][key];
  if (!message.includes('{') && !message.includes("'")) return message;
  const id = `${language} ${key}`;
  let format = formats.get(id);
  if (!format) {
    format = new IntlMessageFormat(message, language, undefined, { ignoreTag: true });
    formats.set(id, format);
  }
  return String(format.format(values));
}

/** Whether there is a message of that name; for names that come from the server. */
export const hasMessage = (key: string): key is MessageKey => Object.hasOwn(en, key);
