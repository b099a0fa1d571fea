/** How well words fit a text, both folded. Quick enough for thousands of titles at every key. */

/** Fits of one word, best first. */
const WHOLE = 120;
const BEGINS = 100;
const BEGINS_WORD = 80;
const WITHIN = 50;
const SCATTERED = 20;
/** Shorter words would be scattered over any text. */
const SCATTERED_LEAST = 3;
/** What a reading other than the first is worth: it is a guess. */
const GUESS = 0.8;

/** 0 where a word does not fit; every word has to. `readings` are what may have been meant, the likeliest first. */
export function score(readings: readonly string[], text: string): number {
  let best = 0;
  for (const [index, reading] of readings.entries()) {
    const found = scoreWords(reading, text) * (index === 0 ? 1 : GUESS);
    if (found > best) best = found;
  }
  return best;
}

function scoreWords(query: string, text: string): number {
  if (query === '') return 0;
  if (query.includes(' ') && text.includes(query)) return text === query ? WHOLE : BEGINS;
  let sum = 0;
  let count = 0;
  for (const word of query.split(/\s+/)) {
    const fit = scoreWord(word, text);
    if (fit === 0) return 0;
    sum += fit;
    count++;
  }
  // Of two that fit as well, the shorter is meant.
  return sum / count - Math.min(text.length, 100) / 100;
}

function scoreWord(word: string, text: string): number {
  const at = text.indexOf(word);
  if (at === 0) return text.length === word.length ? WHOLE : BEGINS;
  if (at < 0) return word.length < SCATTERED_LEAST ? 0 : scattered(word, text);
  for (let index = at; index >= 0; index = text.indexOf(word, index + 1)) {
    if (!/[\p{L}\p{N}]/u.test(text.charAt(index - 1))) return BEGINS_WORD;
  }
  return WITHIN;
}

/** All letters in their order, each not far from the one before: `crdmv` in "card moved". */
function scattered(word: string, text: string): number {
  let at = text.indexOf(word.charAt(0));
  let gaps = 0;
  for (const letter of word.slice(1)) {
    const next = at < 0 ? -1 : text.indexOf(letter, at + 1);
    if (next < 0) return 0;
    gaps += next - at - 1;
    at = next;
  }
  return gaps <= word.length * 2 ? Math.max(1, SCATTERED - gaps) : 0;
}
