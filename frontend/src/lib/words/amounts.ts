/** Amounts as people read them: bytes and lengths of time. */
import type { Language } from '../types';
import { numberFormat } from './formats';

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

/** "1.5 GB". */
export function formatBytes(bytes: number, language: Language): string {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  return numberFormat(language, {
    style: 'unit',
    unit: UNITS[power] as string,
    unitDisplay: 'short',
    maximumFractionDigits: power > 1 ? 1 : 0,
  }).format(bytes / 1000 ** power);
}

const PARTS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const;

/** "3 days 4 hours": the two largest parts. */
export function formatDuration(seconds: number, language: Language): string {
  const start = PARTS.findIndex(([, size]) => seconds >= size);
  const shown = PARTS.slice(start < 0 ? PARTS.length - 1 : start, start < 0 ? undefined : start + 2);
  let rest = Math.floor(seconds);
  const texts = shown.flatMap(([unit, size], index) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count === 0 && index > 0) return [];
    return [numberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(count)];
  });
  return texts.join(' ');
}
