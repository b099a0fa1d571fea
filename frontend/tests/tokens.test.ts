import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { inkOn, luminance, PALETTE } from '../src/lib/colors';

const source = resolve(import.meta.dirname, '../src');
const tokens = readFileSync(join(source, 'styles/tokens.css'), 'utf8');
type Theme = 'light' | 'dark';
const THEMES: Theme[] = ['light', 'dark'];

const colors = new Map(
  [...tokens.matchAll(/--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);/g)].map(
    ([, name, light, dark]) => [String(name), { light: String(light), dark: String(dark) }] as const,
  ),
);
const color = (name: string, theme: Theme) => {
  const found = colors.get(name)?.[theme];
  if (!found) throw new Error(`tokens.css has no colour --${name}`);
  return found;
};

function contrast(one: string, other: string): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** `share` of one colour over another, as color-mix and half-transparent colours come out. */
function mixed(one: string, other: string, share: number): string {
  const part = (hex: string, start: number) => Number.parseInt(hex.slice(start, start + 2), 16);
  const channel = (start: number) => Math.round(part(one, start) * share + part(other, start) * (1 - share));
  return `#${[1, 3, 5].map((start) => channel(start).toString(16).padStart(2, '0')).join('')}`;
}

const GROUNDS = ['bg', 'surface', 'surface-hover', 'sunken'];
const TEXT: ReadonlyArray<[ink: string, ground: string]> = [
  ...['text', 'muted', 'accent'].flatMap((ink) => GROUNDS.map((ground) => [ink, ground] as [string, string])),
  ...['danger', 'warning', 'success'].flatMap((ink) =>
    ['bg', 'surface', 'surface-hover'].map((ground) => [ink, ground] as [string, string]),
  ),
  ['on-accent', 'accent'],
  ['on-accent', 'accent-hover'],
  ['on-accent', 'accent-active'],
  ['on-danger', 'danger'],
  ['on-danger', 'danger-hover'],
  ['text', 'accent-soft'],
  ['accent', 'accent-soft'],
  ['danger', 'danger-soft'],
  ['text', 'danger-soft'],
  ['warning', 'warning-soft'],
  ['text', 'warning-soft'],
  ['success', 'success-soft'],
  ['text', 'success-soft'],
];
/** What must be seen but not read: frames of fields, the focus ring, dots. */
const SHAPES: ReadonlyArray<[shape: string, ground: string]> = [
  ...['line-strong', 'focus'].flatMap((shape) =>
    ['bg', 'surface'].map((ground) => [shape, ground] as [string, string]),
  ),
  ...['live', 'away', 'gone', 'editing'].flatMap((state) =>
    ['bg', 'surface'].map((ground) => [`presence-${state}`, ground] as [string, string]),
  ),
];

describe.each(THEMES)('in the %s theme', (theme) => {
  test.each(TEXT)('%s is read on %s', (ink, ground) => {
    expect(contrast(color(ink, theme), color(ground, theme))).toBeGreaterThanOrEqual(4.5);
  });

  test.each(SHAPES)('%s is seen on %s', (shape, ground) => {
    expect(contrast(color(shape, theme), color(ground, theme))).toBeGreaterThanOrEqual(3);
  });

  test.each(PALETTE)('words are read on a label of colour $value', ({ value }) => {
    const tint = mixed(value, color('surface', theme), theme === 'light' ? 0.14 : 0.3);
    expect(contrast(color('text', theme), tint)).toBeGreaterThanOrEqual(4.5);
  });
});

test.each(PALETTE)('initials are read on an avatar of colour $value', ({ value }) => {
  expect(contrast(inkOn(value), value)).toBeGreaterThanOrEqual(4.5);
});

describe('the tokens', () => {
  const styles = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(svelte|css)$/.test(file))
    .map((file) => ({ file, text: readFileSync(join(source, file), 'utf8') }));
  const known = new Set([...tokens.matchAll(/^\s*(--[\w-]+):/gm)].map(([, name]) => name));

  test('are all there that a style asks for', () => {
    const missing = styles.flatMap(({ file, text }) => {
      const own = new Set([...text.matchAll(/(--[\w-]+)(?=[:=}])/g)].map(([, name]) => name));
      return [...text.matchAll(/var\((--[\w-]+)\)/g)]
        .map(([, name]) => name)
        .filter((name) => !known.has(name) && !own.has(name))
        .map((name) => `${file}: ${name}`);
    });
    expect(missing).toEqual([]);
  });

  test('are where colours come from: no component has one of its own', () => {
    const found = styles
      .filter(({ file }) => !file.endsWith('tokens.css') && !file.endsWith('Logo.svelte'))
      .flatMap(({ file, text }) => {
        const css = file.endsWith('.css') ? text : (text.match(/<style>[\s\S]*<\/style>/)?.[0] ?? '');
        return [...css.matchAll(/:[^;{}]*(#[0-9a-f]{3,8}\b|rgba?\(|hsla?\()/gi)].map(([match]) => `${file}${match}`);
      });
    expect(found).toEqual([]);
  });
});
