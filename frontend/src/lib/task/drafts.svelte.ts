/**
 * Text not yet saved. It is written to this device at every keystroke and stays there, through reloads and
 * closed panels, until the change it belongs to has been accepted or the person throws it away. In localStorage, which
 * has the text when the key comes up again; a database would have it some milliseconds and a crash later.
 */
import { forget, keyOf, remember, remembered, rememberedKeys } from '../page/storage';

/** Drafts untouched for this long are removed when the page starts. */
const KEPT_DAYS = 60;
const DAY_MS = 86_400_000;

interface Kept {
  text: string;
  /** Version of the task the text was begun against, for `If-Match`. */
  version: number | undefined;
  at: number;
}

export class Draft {
  readonly #key: string;
  #text: string;
  #version: number | undefined;
  #kept: boolean;

  /**
   * @param owner whose draft it is; drafts of different accounts on one machine never meet
   * @param name what it belongs to, e.g. `comment.<task id>`
   */
  constructor(owner: string, name: string) {
    this.#key = `draft.${owner}.${name}`;
    const kept = read(this.#key);
    this.#text = $state(kept?.text ?? '');
    this.#version = kept?.version;
    this.#kept = $state(kept !== null);
  }

  /** Whether there is unsaved text, perhaps from an earlier visit. */
  get kept(): boolean {
    return this.#kept;
  }

  get version(): number | undefined {
    return this.#version;
  }

  get text(): string {
    return this.#text;
  }

  set text(value: string) {
    if (value === '' && this.#version === undefined) this.clear();
    else {
      this.#text = value;
      this.#write();
    }
  }

  /** Starts from saved text of that version, unless unsaved text is there already. */
  begin(saved: string, version: number): void {
    if (this.#kept) return;
    this.#text = saved;
    this.#version = version;
  }

  /** Unsaved text that comes back, e.g. from a refused change; text typed since then stays. */
  restore(text: string, version: number | undefined): void {
    if (this.#kept) return;
    this.#text = text;
    this.#version = version;
    this.#write();
  }

  /** What another tab has written. */
  hear(json: string | null): void {
    const kept = parse(json);
    this.#text = kept?.text ?? '';
    this.#version = kept?.version;
    this.#kept = kept !== null;
  }

  clear(): void {
    this.#text = '';
    this.#version = undefined;
    this.#kept = false;
    forget(this.#key);
  }

  #write(): void {
    const kept: Kept = { text: this.#text, version: this.#version, at: Date.now() };
    this.#kept = true;
    remember(this.#key, JSON.stringify(kept));
  }
}

const open = new Map<string, Draft>();

// The tab one types in writes, the others follow: every open field of a draft shows the same text.
globalThis.addEventListener?.('storage', ({ key, newValue }) => {
  const id = key === null ? null : keyOf(key, 'draft.');
  if (id !== null) open.get(id)?.hear(newValue);
});

/** The draft of that name, in parts: what it is of, and which one. Whoever asks for it holds the same one. */
export function draftOf(owner: string | null, ...parts: string[]): Draft {
  const name = parts.join('.');
  const id = `${owner ?? 'nobody'}.${name}`;
  let draft = open.get(id);
  if (!draft) {
    draft = new Draft(owner ?? 'nobody', name);
    open.set(id, draft);
  }
  return draft;
}

const read = (key: string): Kept | null => parse(remembered(key));

function parse(json: string | null): Kept | null {
  if (json === null) return null;
  try {
    return JSON.parse(json) as Kept;
  } catch {
    return null;
  }
}

/** Removes drafts nobody has touched for two months. */
export function removeOldDrafts(now = Date.now()): void {
  for (const key of rememberedKeys('draft.')) {
    const kept = read(key);
    if (!kept || now - kept.at > KEPT_DAYS * DAY_MS) forget(key);
  }
}
