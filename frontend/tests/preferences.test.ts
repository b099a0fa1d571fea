import { afterEach, beforeEach, expect, test } from 'vitest';
import { preferences } from '../src/lib/page/preferences.svelte';

const root = document.documentElement;
let stop = () => {};

beforeEach(() => {
  document.head.innerHTML = `
    <meta name="theme-color" media="(prefers-color-scheme: light)" content="">
    <meta name="theme-color" media="(prefers-color-scheme: dark)" content="">`;
  stop = preferences.start();
});
afterEach(() => stop());

const bars = () => [...document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')].map((m) => m.content);

test('at first the system decides', () => {
  expect(root.dataset.theme).toBeUndefined();
  expect(root.dataset.density).toBe('cosy');
  expect(bars()).toEqual(['#f5f6f8', '#121419']);
});

test('a chosen theme and density are on the page, and there again at the next visit', () => {
  preferences.theme = 'dark';
  preferences.density = 'compact';
  expect(root.dataset.theme).toBe('dark');
  expect(bars()).toEqual(['#121419', '#121419']);
  delete root.dataset.theme;
  stop();
  stop = preferences.start();
  expect(root.dataset.theme).toBe('dark');
  expect(root.dataset.density).toBe('compact');
});

test('another window’s choice shows here', () => {
  localStorage.setItem('timetodo.theme', 'light');
  dispatchEvent(new Event('storage'));
  expect(root.dataset.theme).toBe('light');
});

test('what was kept by another version and means nothing now is as if it were not there', () => {
  localStorage.setItem('timetodo.theme', 'sepia');
  dispatchEvent(new Event('storage'));
  expect(preferences.theme).toBe('system');
});
