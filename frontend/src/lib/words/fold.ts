/** Text as it is searched: lower case, ё as е, and without what people do not type. */

export const fold = (text: string): string => text.toLowerCase().replaceAll('ё', 'е');

const LATIN = "`qwertyuiop[]asdfghjkl;'zxcvbnm,.";
const CYRILLIC = 'ёйцукенгшщзхъфывапролджэячсмитьбю';
const SWAP = new Map<string, string>(
  [...LATIN].flatMap((letter, index) => {
    const other = CYRILLIC.charAt(index);
    return [
      [letter, other],
      [other, letter],
    ] as Array<[string, string]>;
  }),
);

/** The same keys on the other layout: `ищфкв` is "board", `ljrf` is «дока». */
export const otherLayout = (text: string): string =>
  [...text.toLowerCase()].map((sign) => SWAP.get(sign) ?? sign).join('');

/** What may have been meant by a text: itself, and itself typed with the wrong layout on; folded. */
export function readings(text: string): string[] {
  const typed = fold(text.trim());
  const other = fold(otherLayout(text.trim()));
  return other === typed ? [typed] : [typed, other];
}
