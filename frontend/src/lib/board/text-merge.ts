/** Two texts that were changed at once: a proposal that has what both did, and what each of them changed. */
import { diff3Merge, diffComm } from 'node-diff3';

/** More words than this are compared line by line: the time grows with the square. */
const MAX_WORDS = 4_000;

const lines = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
/** Words, spaces and signs, each by itself. */
const words = (text: string): string[] => text.match(/[\p{L}\p{N}_]+|\s|[^\p{L}\p{N}_\s]/gu) ?? [];

export interface Proposal {
  text: string;
  /** Both sides' changes fit together; otherwise both versions of a passage stand one after the other. */
  clean: boolean;
}

/** What both did to `base`. A passage that both changed is there twice, theirs first, so that nothing is lost. */
export function mergeTexts(base: string, mine: string, theirs: string): Proposal {
  let clean = true;
  const both = (parts: { a: string[]; b: string[] }) => {
    clean = false;
    const [my, their] = [parts.a.join(''), parts.b.join('')];
    return their === '' || their.endsWith('\n') ? their + my : `${their}\n${my}`;
  };
  const text = merged(lines(mine), lines(base), lines(theirs), (parts) => {
    const [a, o, b] = [parts.a, parts.o, parts.b].map((part) => words(part.join(''))) as [string[], string[], string[]];
    if (Math.max(a.length, o.length, b.length) > MAX_WORDS) return both(parts);
    let fits = true;
    const fine = merged(a, o, b, () => {
      fits = false;
      return '';
    });
    return fits ? fine : both(parts);
  });
  return { text, clean };
}

type Parts = { a: string[]; o: string[]; b: string[] };

function merged(a: string[], o: string[], b: string[], solve: (parts: Parts) => string): string {
  return diff3Merge(a, o, b, { excludeFalseConflicts: true })
    .map((region) => region.ok?.join('') ?? (region.conflict ? solve(region.conflict) : ''))
    .join('');
}

export interface Piece {
  text: string;
  changed: boolean;
}

/** A text in pieces: what stood in `base` already, and what is new. */
export function newIn(base: string, text: string): Piece[] {
  const split = words(base).length + words(text).length > MAX_WORDS ? lines : words;
  return diffComm(split(base), split(text)).flatMap((region) => {
    const piece = { text: (region.common ?? region.buffer2).join(''), changed: region.common === undefined };
    return piece.text ? [piece] : [];
  });
}
