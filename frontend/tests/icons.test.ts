import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { render } from '@testing-library/svelte';
import { describe, expect, test } from 'vitest';
import { pathOf } from '../icons';
import Icon, { ICON_NAMES } from '../src/components/ui/Icon.svelte';

test.each(ICON_NAMES)('%s can be drawn', (name) => {
  const { container } = render(Icon, { name });
  const path = container.querySelector('path')?.getAttribute('d') ?? '';
  expect(path).toMatch(/^M/i);
  expect(path).not.toMatch(/NaN|undefined/);
});

describe('a shape as a path', () => {
  test('a circle is two halves', () => {
    expect(pathOf([['circle', { cx: 12, cy: 12, r: '10' }]])).toBe('M2 12a10 10 0 1 0 20 0a10 10 0 1 0 -20 0z');
  });

  test('a rectangle with a radius has round corners, one without has none', () => {
    const box = { x: 3, y: 4, width: 18, height: 10 };
    expect(pathOf([['rect', { ...box, rx: 2 }]])).toBe(
      'M5 4h14a2 2 0 0 1 2 2v6a2 2 0 0 1 -2 2h-14a2 2 0 0 1 -2 -2v-6a2 2 0 0 1 2 -2z',
    );
    expect(pathOf([['rect', box]])).toBe('M3 4h18v10h-18v-10z');
  });

  test('a path that begins by the way from the origin stays there, behind another shape too', () => {
    const tick: [string, { d: string }] = ['path', { d: 'm9 12 2 2' }];
    expect(pathOf([['line', { x1: 1, y1: 1, x2: 2, y2: 2 }], tick])).toBe('M1 1L2 2M0 0m9 12 2 2');
  });

  test('what no icon has is an error, not a blank', () => {
    expect(() => pathOf([['text', {}]])).toThrow('<text>');
  });
});

describe('the icons', () => {
  const source = resolve(import.meta.dirname, '../src');
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(svelte|ts)$/.test(file) && !file.endsWith('ui/Icon.svelte'))
    .map((file) => ({ file, text: readFileSync(join(source, file), 'utf8') }));

  test('are asked of the package in one place', () => {
    expect(files.filter(({ text }) => text.includes('lucide')).map(({ file }) => file)).toEqual([]);
  });

  test('are all shown somewhere: each one is carried to every reader', () => {
    const code = files.map(({ text }) => text).join('\n');
    expect(ICON_NAMES.filter((name) => !code.includes(`'${name}'`) && !code.includes(`"${name}"`))).toEqual([]);
  });
});
