/**
 * The words of the page. Messages are ICU MessageFormat, one flat JSON file a language, which a translator
 * edits without touching code; plural forms follow the language's own rules. The build compiles them
 * to lists (messages.ts), and only the language that is read is fetched.
 *
 * Words of parts that come later stand in a file of their own (`later.en.json`), and come with those: `withWords`.
 */
import { FILES } from 'virtual:messages';
import type en from '../../messages/en.json';
import type later from '../../messages/later.en.json';
import { remember, remembered } from '../page/storage';
import type { Language } from '../types';
import { formatMessage, type Message, type Values } from './message-format';

export type MessageKey = keyof typeof en | keyof typeof later;
/** A file: messages by the number that the build has put in the place of their key, and those asked for by name. */
interface File {
  list: readonly Message[];
  named: Readonly<Record<string, Message>>;
}

/** How many files of a language are wanted: once a part has come later, also its words, in every language. */
let wantedFiles = 1;
/** What is here or on its way, by its address. */
const fetched = new Map<string, Promise<File>>();
const catalogues: Partial<Record<Language, { files: number; messages: Readonly<Record<string, Message>> }>> = {};
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

const isHere = (code: Language) => catalogues[code]?.files === wantedFiles;

async function fetchFile(address: string): Promise<File> {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address} answered ${answer.status}`);
  return answer.json();
}

/** The messages of one file; where it could not be had, it is asked for again. */
function read(address: string): Promise<File> {
  let file = fetched.get(address);
  if (!file) {
    file = fetchFile(address);
    fetched.set(address, file);
    file.catch(() => fetched.delete(address));
  }
  return file;
}

/** Brings the messages of a language: the first before the page is drawn, another before it is switched to. */
export async function loadLanguage(code: Language): Promise<void> {
  // Those that come later may become wanted while the others are on their way.
  while (!isHere(code)) {
    const files = await Promise.all(FILES[code].slice(0, wantedFiles).map(read));
    const messages = Object.assign(
      {},
      files.flatMap(({ list }) => list),
      ...files.map(({ named }) => named),
    );
    catalogues[code] = { files: files.length, messages };
  }
}

/** A part of the page together with its words, which are not among those that every page has. */
export async function withWords<T>(part: Promise<T>): Promise<T> {
  wantedFiles = 2;
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

const messageOf = (key: string) => catalogues[language]?.messages[key];

/** The message in the current language. Read inside a component it changes with the language. */
export function t(key: MessageKey, values?: Values): string {
  const message = messageOf(key);
  if (message === undefined) throw new Error(`no message ${key} in ${language}`);
  return formatMessage(message, language, values);
}

/** Whether there is a message of that name; for names that come from the server. */
export const hasMessage = (key: string): key is MessageKey => messageOf(key) !== undefined;
