/**
 * The words of the page. Messages are ICU MessageFormat, one flat JSON file a language, which a translator
 * edits without touching code; plural forms follow the language's own rules. The build compiles them
 * to lists (messages.ts), and only the language that is read is loaded.
 *
 * Words of a part that comes later stand in a file of that part (`inbox.en.json`), and come with it: `withWords`.
 */
import NUMBERS from 'virtual:message-numbers';
import type en from '../../messages/en.json';
import type inbox from '../../messages/inbox.en.json';
import { remember, remembered } from '../page/storage';
import type { Language } from '../types';
import { formatMessage, type Message, type Values } from './message-format';

export type MessageKey = keyof typeof en | keyof typeof inbox;
type Catalogue = readonly Message[];

const LOAD: Record<Language, () => Promise<{ default: unknown }>> = {
  en: () => import('../../messages/en.json'),
  ru: () => import('../../messages/ru.json'),
};
const LOAD_LATER: Record<Language, () => Promise<{ default: unknown }>> = {
  en: () => import('../../messages/inbox.en.json'),
  ru: () => import('../../messages/inbox.ru.json'),
};
/** Whether the words that come later are wanted: from then on they come with every language. */
let all = false;
const complete = new Set<Language>();
const catalogues: Partial<Record<Language, Catalogue>> = {};
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

/** The language asked for last, which may be on its way. */
let wanted = firstLanguage(remembered('language'), navigator.languages ?? []);
let language = $state(wanted);

const isHere = (code: Language) => catalogues[code] !== undefined && (complete.has(code) || !all);

/** Brings the messages of a language: the first before the page is drawn, another before it is switched to. */
export async function loadLanguage(code: Language): Promise<void> {
  // Those that come later may become wanted while the others are on their way.
  while (!isHere(code)) {
    const [now, later] = await Promise.all([LOAD[code](), all ? LOAD_LATER[code]() : null]);
    if (later) complete.add(code);
    catalogues[code] = [...(now.default as Catalogue), ...((later?.default as Catalogue | undefined) ?? [])];
  }
}

/** A part of the page together with its words, which are not among those that every page has. */
export async function withWords<T>(part: Promise<T>): Promise<T> {
  all = true;
  const [loaded] = await Promise.all([part, loadLanguage(language)]);
  return loaded;
}

function show(code: Language): void {
  if (code === wanted) language = code;
}

export const i18n = {
  /** The language of the page. Another one is shown once its messages are here; where they cannot be had, this one stays. */
  get language(): Language {
    return language;
  },
  set language(value: Language) {
    wanted = value;
    remember('language', value);
    if (isHere(value)) show(value);
    else
      loadLanguage(value).then(
        () => show(value),
        () => {},
      );
  },
};

/** In the built page the keys one can see in the code are numbers already. */
const messageOf = (key: string) => catalogues[language]?.[NUMBERS[key] ?? Number(key)];

/** The message in the current language. Read inside a component it changes with the language. */
export function t(key: MessageKey, values?: Values): string {
  const message = messageOf(key);
  if (message === undefined) throw new Error(`no message ${key} in ${language}`);
  return formatMessage(message, language, values);
}

/** Whether there is a message of that name; for names that come from the server. */
export const hasMessage = (key: string): key is MessageKey => messageOf(key) !== undefined;
