import { fireEvent, render, screen } from '@testing-library/svelte';
import { createRawSnippet } from 'svelte';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import SignUpForm from '../src/components/SignUpForm.svelte';
import ColumnForm from '../src/components/settings/ColumnForm.svelte';
import Button from '../src/components/ui/Button.svelte';
import Checkbox from '../src/components/ui/Checkbox.svelte';
import Choice from '../src/components/ui/Choice.svelte';
import CopyButton from '../src/components/ui/CopyButton.svelte';
import IconButton from '../src/components/ui/IconButton.svelte';
import PasswordField from '../src/components/ui/PasswordField.svelte';
import Problem from '../src/components/ui/Problem.svelte';
import ProgressBar from '../src/components/ui/ProgressBar.svelte';
import Tabs from '../src/components/ui/Tabs.svelte';
import { ApiError } from '../src/lib/server/errors';
import { board, openBoard, settled } from './support/board';

const words = (text: string) => createRawSnippet(() => ({ render: () => `<span>${text}</span>` }));

describe('a button that works on it', () => {
  test('cannot be pressed again, and keeps name and focus', async () => {
    const onclick = vi.fn();
    render(Button, { loading: true, onclick, children: words('Save') });
    const button = screen.getByRole<HTMLButtonElement>('button', { name: 'Save' });
    button.focus();
    await fireEvent.click(button);
    expect(onclick).not.toHaveBeenCalled();
    expect(button.disabled).toBe(false);
    expect(document.activeElement).toBe(button);
    expect(button.getAttribute('aria-busy')).toBe('true');
  });
});

test('what the browser has against a field is said at the field, in the language of its reader', async () => {
  render(SignUpForm);
  const field = screen.getByLabelText<HTMLInputElement>('E-mail');
  const said = () => document.getElementById(field.getAttribute('aria-describedby') ?? '')?.textContent;
  field.form?.requestSubmit();
  await settled();
  expect(document.activeElement).toBe(screen.getByLabelText('Name'));
  expect(said()).toBe('Please fill this in.');
  await fireEvent.input(field, { target: { value: 'anna' } });
  expect(field.getAttribute('aria-invalid')).toBeNull();
  field.form?.requestSubmit();
  await settled();
  expect(said()).toBe('This is not an e-mail address.');
});

test.each([
  ['0', 'At least 1.'],
  ['5000', 'At most 1000.'],
  ['1.5', 'This does not have the expected form.'],
])('a limit of %s is told what is wrong with it', async (limit, complaint) => {
  const { store } = await openBoard();
  render(ColumnForm, { store, column: board().columns[0] ?? null, onclose: () => {} });
  const field = screen.getByLabelText<HTMLInputElement>('Limit of cards');
  await fireEvent.input(field, { target: { value: limit } });
  field.form?.requestSubmit();
  await settled();
  expect(field.closest('.field')?.textContent).toContain(complaint);
});

describe('a tooltip', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const tip = () => document.querySelector('.tip')?.textContent;

  test('waits for a pointer that stays, shows the shortcut too, and goes on Escape', async () => {
    render(IconButton, { icon: 'edit', label: 'Edit', keys: 'E' });
    await fireEvent.pointerEnter(document.querySelector('.around') as Element);
    expect(tip()).toBeUndefined();
    await vi.advanceTimersByTimeAsync(500);
    expect(tip()).toBe('EditE');
    await fireEvent.keyDown(document, { key: 'Escape' });
    expect(tip()).toBeUndefined();
  });

  test('does not come for a finger', async () => {
    render(IconButton, { icon: 'edit', label: 'Edit' });
    await fireEvent.pointerEnter(document.querySelector('.around') as Element, { pointerType: 'touch' });
    await vi.advanceTimersByTimeAsync(500);
    expect(tip()).toBeUndefined();
  });
});

test('tabs: arrows choose and go round, with one tab stop', async () => {
  const onchange = vi.fn();
  const tabs = [
    { id: 'a', label: 'One' },
    { id: 'b', label: 'Two' },
  ];
  const { rerender } = render(Tabs, { label: 'Parts', tabs, value: 'a', panel: 'p', onchange });
  await fireEvent.keyDown(screen.getByRole('tab', { name: 'One' }), { key: 'ArrowLeft' });
  expect(onchange).toHaveBeenCalledExactlyOnceWith('b');
  await rerender({ value: 'b' });
  expect(screen.getAllByRole('tab').map((tab) => tab.tabIndex)).toEqual([-1, 0]);
});

test('a switch is one, and says what it was turned to', async () => {
  const onchange = vi.fn();
  render(Checkbox, { toggle: true, label: 'Letters', hint: 'On this device', onchange });
  const toggle = screen.getByRole('switch', { name: 'Letters' });
  await fireEvent.click(toggle);
  expect(onchange).toHaveBeenCalledExactlyOnceWith(true);
  expect(document.getElementById(toggle.getAttribute('aria-describedby') ?? '')?.textContent).toBe('On this device');
});

test('a choice is a group of radio buttons', async () => {
  const options = [
    { value: 'light', label: 'Light' },
    { value: 'dark', label: 'Dark' },
  ];
  render(Choice, { label: 'Theme', options, value: 'light' });
  expect(screen.getByRole('group', { name: 'Theme' })).toBeTruthy();
  await fireEvent.click(screen.getByRole('radio', { name: 'Dark' }));
  expect(screen.getAllByRole<HTMLInputElement>('radio').map(({ checked }) => checked)).toEqual([false, true]);
});

test('a password can be looked at, and what is typed stays', async () => {
  render(PasswordField, { label: 'Password', value: '' });
  const field = screen.getByLabelText<HTMLInputElement>('Password');
  await fireEvent.input(field, { target: { value: 'long enough' } });
  await fireEvent.click(screen.getByRole('button', { name: 'Show what is typed' }));
  expect([field.type, field.value]).toEqual(['text', 'long enough']);
  await fireEvent.click(screen.getByRole('button', { name: 'Hide what is typed' }));
  expect([field.type, field.value]).toEqual(['password', 'long enough']);
});

test('progress is told in percent', () => {
  render(ProgressBar, { label: 'Sending', value: 1, max: 4 });
  expect(screen.getByRole('progressbar', { name: 'Sending' }).getAttribute('aria-valuenow')).toBe('25');
});

describe('a problem', () => {
  test('of the server has the number of the request, to be copied', async () => {
    const writeText = vi.fn(async () => {});
    vi.stubGlobal('navigator', { ...navigator, clipboard: { writeText } });
    render(Problem, { error: new ApiError(500, { code: 'internal', request_id: 'r-17' }) });
    expect(screen.getByText('Request r-17')).toBeTruthy();
    await fireEvent.click(screen.getByRole('button', { name: 'Copy the request’s number' }));
    expect(writeText).toHaveBeenCalledExactlyOnceWith('r-17');
    vi.unstubAllGlobals();
  });

  test('of too many requests can be tried again only when the server wants to be asked', async () => {
    vi.useFakeTimers();
    const onretry = vi.fn();
    render(Problem, { error: new ApiError(429, { code: 'rate_limited' }, 2), onretry });
    await vi.advanceTimersByTimeAsync(0);
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Try again in 2 seconds' }).disabled).toBe(true);
    await vi.advanceTimersByTimeAsync(2_000);
    await fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
    expect(onretry).toHaveBeenCalledOnce();
    vi.useRealTimers();
  });
});

test('copying says what came of it', async () => {
  vi.stubGlobal('navigator', { ...navigator, clipboard: { writeText: () => Promise.reject(new Error('no')) } });
  render(CopyButton, { text: 'x' });
  await fireEvent.click(screen.getByRole('button', { name: 'Copy' }));
  await settled();
  expect(screen.getByRole('button', { name: 'Could not copy' })).toBeTruthy();
  vi.unstubAllGlobals();
});
