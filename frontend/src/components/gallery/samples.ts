/** What the gallery shows its components with. */
import type { MenuItem } from '../ui/PopupMenu.svelte';

const nothing = () => {};

export const DUE = '2026-11-27T12:00:00.000Z';
export const LONG =
  'Ask Carol first: the old contract ends in December, and whoever signs the new one should have read both.';

export const OPTIONS = [
  { value: 'a', label: 'To do' },
  { value: 'b', label: 'In progress' },
  { value: 'c', label: 'Done' },
];

export const TABS = [
  { id: 'one', label: 'General' },
  { id: 'two', label: 'Members', count: 3 },
  { id: 'three', label: 'Columns' },
];

export const PEOPLE = [
  { name: 'Анна Петрова', color: '#00796b' },
  { name: 'Борис', color: '#1565c0' },
  { name: 'Carol Jones', color: '#ad1457' },
  { name: 'Дмитрий', color: '#9a6700' },
  { name: 'Ева', color: '#546e7a' },
];

export const ITEMS: MenuItem[] = [
  { label: 'Open', icon: 'right', keys: 'Enter', run: nothing },
  { heading: 'Move to', label: 'To do', checked: true, run: nothing },
  { label: 'Done', checked: false, run: nothing },
  { label: 'Not now', icon: 'clock', disabled: true, run: nothing },
  { label: 'Delete', icon: 'trash', danger: true, keys: 'Del', run: nothing },
];

export const POINTS = Array.from({ length: 150 }, (_, index) => ({
  at: index * 2_000,
  value: Math.round(40 + 30 * Math.sin(index / 12) + 8 * Math.sin(index / 3)),
}));
