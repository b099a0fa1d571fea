/** Colours a person can choose for labels and for themselves. */
import type { MessageKey } from './words/i18n.svelte';

export const PALETTE: ReadonlyArray<{ value: string; name: MessageKey }> = [
  { value: '#c62828', name: 'color.red' },
  { value: '#d84315', name: 'color.orange' },
  { value: '#9a6700', name: 'color.amber' },
  { value: '#2e7d32', name: 'color.green' },
  { value: '#00796b', name: 'color.teal' },
  { value: '#1565c0', name: 'color.blue' },
  { value: '#4527a0', name: 'color.indigo' },
  { value: '#8e24aa', name: 'color.purple' },
  { value: '#ad1457', name: 'color.pink' },
  { value: '#546e7a', name: 'color.grey' },
];

/** The colour of a project, always the same one: picked from the palette by its id. */
export function projectColor(id: string): string {
  let sum = 0;
  for (const letter of id) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 65_521;
  return (PALETTE[sum % PALETTE.length] as { value: string }).value;
}

/** Relative luminance of `#rrggbb`, 0 to 1 (WCAG 2). */
export function luminance(color: string): number {
  const [r, g, b] = [1, 3, 5].map((start) => {
    const part = Number.parseInt(color.slice(start, start + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Black or white, whichever is better to read on the colour. */
export function inkOn(color: string): string {
  return luminance(color) > 0.179 ? '#000000' : '#ffffff';
}
