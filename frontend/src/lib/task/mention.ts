/** Completing `@name` while it is being typed. */

/** A name being typed: where its `@` stands, and what follows up to the caret. */
export interface Mention {
  start: number;
  query: string;
}

/** Longer than any beginning of a name somebody would type before choosing. */
const QUERY_MAX = 40;
const SHOWN = 6;

export function mentionAt(text: string, caret: number): Mention | null {
  const start = text.lastIndexOf('@', caret - 1);
  if (start < 0) return null;
  const query = text.slice(start + 1, caret);
  // An address has a letter in front of its @.
  const isWord = start > 0 && /[\p{L}\p{N}_.-]/u.test(text[start - 1] ?? '');
  return isWord || query.length > QUERY_MAX || /[\n@]/.test(query) ? null : { start, query };
}

/** Names of which a word begins like the query. Nothing once a name stands there whole. */
export function suggest(names: readonly string[], query: string): string[] {
  const wanted = query.toLowerCase();
  const fits = (name: string) =>
    name.toLowerCase().startsWith(wanted) ||
    name
      .toLowerCase()
      .split(/\s+/)
      .some((word) => word.startsWith(wanted));
  if (names.some((name) => wanted.startsWith(name.toLowerCase()))) return [];
  return names.filter(fits).slice(0, SHOWN);
}

/** The text with the name put in, and where the caret goes: behind a space, unless a sign follows. */
export function complete(text: string, { start, query }: Mention, name: string): { text: string; caret: number } {
  const before = `${text.slice(0, start)}@${name}`;
  const rest = text.slice(start + 1 + query.length);
  const spaced = /^[\s.,;:!?)]/.test(rest) ? rest : ` ${rest}`;
  return { text: before + spaced, caret: before.length + (spaced.startsWith(' ') ? 1 : 0) };
}
