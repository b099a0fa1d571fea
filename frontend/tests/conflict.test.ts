/** What is asked of a person whose change and somebody else's were the same field's. */
import { fireEvent, render, screen } from '@testing-library/svelte';
import { expect, onTestFinished, test } from 'vitest';
import BoardDialogs from '../src/components/dialogs/BoardDialogs.svelte';
import { BoardView } from '../src/lib/board/board-view.svelte';
import { toasts } from '../src/lib/page/announcer.svelte';
import { ApiError } from '../src/lib/server/errors';
import { clock } from '../src/lib/time/clock.svelte';
import { openBoard, settled, task } from './support/board';

const CONFLICT = {
  mine: { title: 'Mine' },
  theirs: { title: 'Theirs' },
  base: null,
  current: task('t1', { version: 5 }),
};

async function conflicting(changed?: object) {
  const { store, rest } = await openBoard();
  const view = new BoardView(store);
  const refusal = new ApiError(409, { code: 'version_conflict', fields: ['title'], ...CONFLICT, changed });
  rest.tasks.update.mockRejectedValue(refusal);
  store.commands.patch('t1', { title: 'Mine' });
  await settled();
  view.openNumber = 1;
  const { unmount } = render(BoardDialogs, { view });
  await settled();
  return { store, unmount };
}

const dialog = () => screen.queryByRole('dialog', { hidden: true });

test('shows both sides and offers both', async () => {
  const { store } = await conflicting();
  expect(dialog()?.textContent).toContain('Mine');
  expect(dialog()?.textContent).toContain('Theirs');
  await fireEvent.click(screen.getByRole('button', { name: 'Keep theirs', hidden: true }));
  expect(store.own.conflicts).toEqual([]);
  expect(dialog()).toBeNull();
});

test.each([
  ['boris', 'Борис 2 minutes ago'],
  ['anna', 'You, elsewhere 2 minutes ago'],
  ['somebody-gone', 'Theirs 2 minutes ago'],
])('says of their side that %s changed it, and when', async (user_id, said) => {
  await conflicting({ title: { user_id, at: new Date(clock.now.getTime() - 150_000).toISOString() } });
  expect(dialog()?.textContent?.replace(/\s+/g, ' ')).toContain(said);
});

test('what is written as the result stays, whatever else is changed meanwhile', async () => {
  const { store } = await conflicting();
  const field = screen.getByRole('textbox', { hidden: true });
  await fireEvent.input(field, { target: { value: 'Half of both' } });
  store.commands.patch('t2', { title: 'Something else' });
  await settled();
  expect(screen.getByRole('textbox', { hidden: true })).toBe(field);
  expect((field as HTMLTextAreaElement).value).toBe('Half of both');
});

/** Somebody writes something else, to the end of the test. */
function typing() {
  const field = document.body.appendChild(document.createElement('textarea'));
  field.focus();
  onTestFinished(() => field.remove());
  return field;
}

test('interrupts nobody who types, and comes when it is asked for', async () => {
  const field = typing();
  await conflicting();
  expect(dialog()).toBeNull();
  expect(document.activeElement).toBe(field);
  expect(toasts.list).toHaveLength(1);
  const [told] = toasts.list;
  expect(told?.text).toBe('WEB-1 was changed twice');
  told?.action?.run();
  await settled();
  expect(dialog()?.textContent).toContain('Theirs');
  expect(toasts.list).toEqual([]);
});

test('offers to decide no longer than there is something to decide', async () => {
  typing();
  const { store, unmount } = await conflicting();
  store.commands.patch('t2', { title: 'Mine as well' });
  await settled();
  expect(toasts.list).toHaveLength(2);
  const [first] = store.own.conflicts;
  if (first) store.own.resolve(first, first.theirs);
  await settled();
  expect(toasts.list).toHaveLength(1);
  unmount();
  expect(toasts.list).toEqual([]);
});
