import { fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import BoardDialogs from '../src/components/dialogs/BoardDialogs.svelte';
import SavedViews from '../src/components/filter/SavedViews.svelte';
import ListPicker from '../src/components/pickers/ListPicker.svelte';
import DateField from '../src/components/ui/DateField.svelte';
import { BoardView } from '../src/lib/board/board-view.svelte';
import { openBoard } from './support/board';

const below = vi.fn();
const onclose = vi.fn();
const onchoose = vi.fn();

function openPicker({ narrow, touch = narrow }: { narrow: boolean; touch?: boolean }) {
  vi.stubGlobal('matchMedia', (query: string) => ({ matches: query.includes('coarse') ? touch : narrow }));
  document.body.addEventListener('click', below);
  const options = [
    { id: 'a', name: 'Anna' },
    { id: 'b', name: 'Boris' },
  ];
  render(ListPicker, { label: 'Assign', options, beside: new DOMRect(10, 10, 20, 20), onchoose, onclose });
}

const shade = () => document.querySelector('.shade');

beforeEach(() => vi.clearAllMocks());
afterEach(() => {
  document.body.removeEventListener('click', below);
  vi.unstubAllGlobals();
});

describe('a picker on a phone', () => {
  test('is a sheet: a tap beside it closes it and opens nothing below', async () => {
    openPicker({ narrow: true });
    await fireEvent.pointerDown(shade() as Element);
    expect(onclose).not.toHaveBeenCalled();
    await fireEvent.click(shade() as Element);
    expect(onclose).toHaveBeenCalledOnce();
    expect(below).not.toHaveBeenCalled();
  });

  test('does not call up the keys of the screen, which would hide it', () => {
    openPicker({ narrow: true });
    expect(document.activeElement).toBe(screen.getByRole('dialog', { name: 'Assign' }));
  });

  test('stays when the keys of the screen make the window lower, and goes with Escape', async () => {
    openPicker({ narrow: true });
    dispatchEvent(new Event('resize'));
    expect(onclose).not.toHaveBeenCalled();
    await fireEvent.keyDown(screen.getByRole('dialog'), { key: 'Escape' });
    expect(onclose).toHaveBeenCalledOnce();
  });
});

describe('a picker on a desk', () => {
  test('has its field in focus and goes with a press elsewhere, Escape, or another size of the window', async () => {
    openPicker({ narrow: false });
    expect(shade()).toBeNull();
    expect(document.activeElement).toBe(screen.getByRole('combobox'));
    await fireEvent.pointerDown(document.body);
    await fireEvent.keyDown(screen.getByRole('combobox'), { key: 'Escape' });
    dispatchEvent(new Event('resize'));
    expect(onclose).toHaveBeenCalledTimes(3);
  });

  test('in a narrow window with a keyboard is a sheet whose field one types in', () => {
    openPicker({ narrow: true, touch: false });
    expect(shade()).not.toBeNull();
    expect(document.activeElement).toBe(screen.getByRole('combobox'));
  });
});

test('the days of a date field are a sheet on a phone, and their close button gives the focus back', async () => {
  vi.stubGlobal('matchMedia', () => ({ matches: true }));
  render(DateField, { label: 'Due', value: null, timeZone: 'UTC', onchange: vi.fn() });
  const opener = screen.getByRole('button', { name: /choose|Due/i });
  await fireEvent.click(opener);
  expect(shade()).not.toBeNull();
  await fireEvent.click(screen.getByRole('button', { name: 'Close' }));
  expect(screen.queryByRole('dialog')).toBeNull();
  expect(shade()).toBeNull();
  expect(document.activeElement).toBe(opener);
});

test('a dialog with a list above its form is there to be read first: no keyboard of a phone hides the list', async () => {
  const { store } = await openBoard();
  const view = new BoardView(store);
  view.dialog = { name: 'members' };
  render(BoardDialogs, { view });
  expect(screen.getByLabelText('E-mail')).toBeTruthy();
  expect(document.activeElement).toBe(screen.getByRole('dialog', { hidden: true }));
});

test('a view is saved by Enter, also before it is known which there are', async () => {
  const { store } = await openBoard();
  const view = new BoardView(store);
  view.filtering.apply('priority=high');
  const views = { list: vi.fn(() => new Promise(() => {})), create: vi.fn(async () => ({})) };
  Object.assign(store.rest, { views });
  render(SavedViews, { view });
  await fireEvent.click(screen.getByRole('button', { name: 'Views' }));
  await fireEvent.input(screen.getByLabelText('Name of this view'), { target: { value: 'Urgent' } });
  // What a browser does at Enter in a form: it presses the button, as long as that can be pressed.
  await fireEvent.click(screen.getByRole('button', { name: 'Save view' }));
  expect(views.create).toHaveBeenCalledWith(store.id, { name: 'Urgent', query: 'priority=high' });
});
