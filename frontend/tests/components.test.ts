import { fireEvent, render, screen, within } from '@testing-library/svelte';
import { tick } from 'svelte';
import { describe, expect, test, vi } from 'vitest';
import Board from '../src/components/board/Board.svelte';
import Confirm from '../src/components/dialogs/Confirm.svelte';
import SignUpForm from '../src/components/SignUpForm.svelte';
import Keyboard from '../src/components/shortcuts/Keyboard.svelte';
import TaskPanel from '../src/components/task/TaskPanel.svelte';
import { BoardView } from '../src/lib/board/board-view.svelte';
import { announcer } from '../src/lib/page/announcer.svelte';
import { confirmed } from '../src/lib/page/confirm.svelte';
import { router } from '../src/lib/page/router.svelte';
import { ApiError } from '../src/lib/server/errors';
import { session } from '../src/lib/server/session.svelte';
import type { Board as BoardData, User } from '../src/lib/types';
import ProjectPage from '../src/pages/ProjectPage.svelte';
import { board, card, event, ids, openBoard, settled, task, taskEvent } from './support/board';

globalThis.IntersectionObserver ??= class {
  observe() {}
  disconnect() {}
} as never;

async function drawBoard(start: BoardData = board()) {
  const opened = await openBoard({ start });
  const view = new BoardView(opened.store);
  render(Board, { view });
  render(Keyboard);
  return { ...opened, view };
}

const list = (column: string) => screen.getByRole('list', { name: `Cards in ${column}` });
const titles = (column: string) =>
  within(list(column))
    .queryAllByRole('link')
    .map((link) => link.querySelector('.title')?.textContent);

describe('the board', () => {
  test('is a group of columns with headings, counts and cards', async () => {
    await drawBoard();
    expect(screen.getAllByRole('heading', { level: 2 }).map((heading) => heading.textContent)).toEqual([
      'To do',
      'Doing',
      'Done',
    ]);
    expect(titles('To do')).toEqual(['Card t1', 'Card t2', 'Card t3']);
    expect(screen.getByRole('region', { name: 'To do' }).textContent).toContain('3 cards');
  });

  test('a card tells its facts in words', async () => {
    const full = card('t1', {
      title: 'Выбрать хостинг',
      priority: 'urgent',
      due: '2020-01-01',
      comment_count: 2,
      label_ids: ['l1'],
      assignee_ids: ['boris'],
      checklist: [
        { id: 'i1', text: 'a', done: true },
        { id: 'i2', text: 'b', done: false },
      ],
    });
    router.go('/p/p');
    await drawBoard(board({ tasks: [full] }));
    const link = screen.getByRole('link', { name: /Выбрать хостинг/ });
    const words = link.textContent?.replace(/\s+/g, ' ');
    for (const part of ['WEB-1', 'bug', 'Priority: Urgent', 'Overdue:', 'Checklist:1/2', '2 comments'])
      expect(words).toContain(part);
    expect(within(link).getByRole('img', { name: 'Борис' })).toBeTruthy();
    expect(link.getAttribute('href')).toBe('/p/p/t/1');
  });

  test('a change by somebody else leaves the composer its text and its focus', async () => {
    const { live, view } = await drawBoard();
    await fireEvent.click(screen.getByRole('button', { name: 'Add a card to To do' }));
    const field = screen.getByRole('textbox');
    await fireEvent.input(field, { target: { value: 'half a thou' } });
    live.emit(taskEvent('task_deleted', 11, task('t2')));
    live.emit(event('column_updated', 12, { ...board().columns[0], column_id: 'c-todo', name: 'Queue' }));
    await tick();
    expect(titles('Queue')).toEqual(['Card t1', 'Card t3']);
    expect(screen.getByRole('textbox')).toBe(field);
    expect((field as HTMLTextAreaElement).value).toBe('half a thou');
    expect(document.activeElement).toBe(field);
    view.close();
  });

  test('Enter adds a card and keeps the composer open; several lines are several cards', async () => {
    const { store } = await drawBoard();
    await fireEvent.click(screen.getByRole('button', { name: 'Add a card to Done' }));
    const field = screen.getByRole('textbox') as HTMLTextAreaElement;
    await fireEvent.input(field, { target: { value: 'One\n\n  Two ' } });
    await fireEvent.keyDown(field, { key: 'Enter' });
    expect(titles('Done')).toEqual(['One', 'Two']);
    expect(field.value).toBe('');
    expect(ids(store, 'done')).toHaveLength(2);
  });

  test('Escape closes the composer and keeps what was typed', async () => {
    await drawBoard();
    await fireEvent.click(screen.getByRole('button', { name: 'Add a card to Doing' }));
    await fireEvent.input(screen.getByRole('textbox'), { target: { value: 'kept' } });
    await fireEvent.keyDown(screen.getByRole('textbox'), { key: 'Escape' });
    expect(screen.queryByRole('textbox')).toBeNull();
    await fireEvent.click(screen.getByRole('button', { name: 'Add a card to Doing' }));
    expect((screen.getByRole('textbox') as HTMLTextAreaElement).value).toBe('kept');
  });

  test('Shift and an arrow moves the card, says where to, and keeps the focus on it', async () => {
    const { store } = await drawBoard();
    screen.getByRole('link', { name: /Card t1/ }).focus();
    await fireEvent.keyDown(document.activeElement as Element, { key: 'ArrowRight', shiftKey: true });
    await settled();
    expect(ids(store, 'doing')).toEqual(['t1', 't4']);
    expect(announcer.text.trim()).toBe('WEB-1 moved to Doing, 1 of 2');
    expect(document.activeElement).toBe(screen.getByRole('link', { name: /Card t1/ }));
  });

  test('the menu does the same as dragging', async () => {
    const { store } = await drawBoard();
    await fireEvent.click(screen.getByRole('button', { name: 'Actions for WEB-2' }));
    const menu = screen.getByRole('menu');
    const columns = within(menu).getAllByRole('menuitemradio');
    expect(columns.map((item) => [item.textContent?.trim(), item.getAttribute('aria-checked')])).toEqual([
      ['To do', 'true'],
      ['Doing', 'false'],
      ['Done', 'false'],
    ]);
    await fireEvent.click(columns[2] as HTMLElement);
    expect(ids(store, 'done')).toEqual(['t2']);
    expect(screen.queryByRole('menu')).toBeNull();
    await settled();
    expect(document.activeElement).toBe(screen.getByRole('link', { name: /Card t2/ }));
  });

  test('a new board shows where cards will stand, to the eye alone, until there is one', async () => {
    const { live } = await drawBoard(board({ tasks: [] }));
    const ghosts = () => [...document.querySelectorAll('.ghost')];
    expect(ghosts()).toHaveLength(6);
    expect(ghosts().every((ghost) => ghost.closest('[aria-hidden="true"]'))).toBe(true);
    expect(screen.getByText('Paste a list and every line becomes a card.')).toBeTruthy();
    live.emit(taskEvent('task_created', 11, task('t9')));
    await tick();
    expect(ghosts()).toHaveLength(0);
  });

  test('who may only read sees no ways to change', async () => {
    await drawBoard(board({ members: [], role: 'viewer' }));
    const names = screen
      .getAllByRole('button')
      .map((button) => button.getAttribute('aria-label') ?? button.textContent);
    const looking = ['Menu of the column To do', 'Menu of the column Doing', 'Menu of the column Done'];
    expect(names.map((name) => name?.trim())).toEqual(looking);
    expect(screen.getAllByRole('link')).toHaveLength(4);
  });

  test('a long column is drawn in parts', async () => {
    const tasks = Array.from({ length: 500 }, (_, index) => card(`t${index + 1}`, { position: `a${1000 + index}` }));
    await drawBoard(board({ tasks }));
    expect(titles('To do').length).toBeLessThan(100);
    expect(screen.getByRole('region', { name: 'To do' }).textContent).toContain('500 cards');
  });
});

async function openTask(description = '') {
  const opened = await openBoard();
  opened.rest.tasks.get.mockResolvedValue(task('t1', { description }));
  const view = new BoardView(opened.store);
  const { unmount } = render(TaskPanel, { card: card('t1'), view });
  await settled();
  return { ...opened, view, unmount };
}

describe('the task panel', () => {
  test('tells the others what one looks at', async () => {
    const { live } = await openTask();
    expect(live.viewing).toHaveBeenCalledWith('p', 't1');
  });

  test('saves the title against the version it was begun at', async () => {
    const { rest } = await openTask();
    await fireEvent.click(screen.getByRole('button', { name: 'Edit title' }));
    const field = screen.getByRole('textbox', { name: 'Title' });
    await fireEvent.input(field, { target: { value: ' New  title ' } });
    await fireEvent.keyDown(field, { key: 'Enter' });
    expect(rest.tasks.update).toHaveBeenCalledExactlyOnceWith(
      't1',
      { title: 'New title' },
      expect.objectContaining({ ifMatch: 1 }),
    );
  });

  test('an unchanged text is not sent', async () => {
    const { rest } = await openTask();
    await fireEvent.click(screen.getByRole('button', { name: 'Edit title' }));
    await fireEvent.click(screen.getByRole('button', { name: 'Save' }));
    expect(rest.tasks.update).not.toHaveBeenCalled();
  });

  test('Escape keeps the draft and says so; it can be continued or discarded', async () => {
    const { rest } = await openTask('Saved text');
    await fireEvent.click(screen.getByRole('button', { name: 'Edit description' }));
    const field = screen.getByRole('textbox', { name: 'Description' });
    await fireEvent.input(field, { target: { value: 'Saved text, and more' } });
    await fireEvent.keyDown(field, { key: 'Escape' });
    expect(announcer.text.trim()).toBe('Draft kept');
    await fireEvent.click(screen.getByRole('button', { name: 'Continue' }));
    expect((screen.getByRole('textbox', { name: 'Description' }) as HTMLTextAreaElement).value).toBe(
      'Saved text, and more',
    );
    await fireEvent.keyDown(screen.getByRole('textbox', { name: 'Description' }), { key: 'Escape' });
    await fireEvent.click(screen.getByRole('button', { name: 'Discard' }));
    expect(screen.queryByText('You have an unsaved draft.')).toBeNull();
    expect(rest.tasks.update).not.toHaveBeenCalled();
  });

  test('what others change is shown beside what is being typed', async () => {
    const { live } = await openTask('First');
    await fireEvent.click(screen.getByRole('button', { name: 'Edit title' }));
    const field = screen.getByRole('textbox', { name: 'Title' }) as HTMLTextAreaElement;
    await fireEvent.input(field, { target: { value: 'Typing' } });
    live.emit(taskEvent('task_updated', 11, task('t1', { description: 'Second', version: 2 })));
    await tick();
    await vi.waitFor(() => expect(screen.getByText('Second')).toBeTruthy());
    expect(field.value).toBe('Typing');
    expect(document.activeElement).toBe(field);
  });

  test('a comment is shown while it is being sent, and once when it is there', async () => {
    const { live, store } = await openTask();
    const field = screen.getByRole('textbox', { name: 'New comment' });
    await fireEvent.input(field, { target: { value: 'Looks good' } });
    expect(live.typing).toHaveBeenCalledWith('p', 't1', 'comment');
    await fireEvent.keyDown(field, { key: 'Enter', ctrlKey: true });
    await vi.waitFor(() => expect(screen.getByText('Looks good')).toBeTruthy());
    expect(screen.getByText(/sending/)).toBeTruthy();
    const op_id = store.pending[0]?.change.op_id ?? null;
    const comment = {
      comment_id: 'k1',
      task_id: 't1',
      author_id: 'anna',
      author_name: 'Анна',
      body: 'Looks good',
      version: 1,
    };
    const times = {
      created_at: '2026-11-22T10:00:00Z',
      updated_at: '2026-11-22T10:00:00Z',
      edited: false,
      mentions: [],
    };
    live.emit(event('comment_added', 11, { ...comment, ...times, comment_count: 1 }, { op_id, user_id: 'anna' }));
    await tick();
    expect(screen.getAllByText('Looks good')).toHaveLength(1);
    expect(screen.queryByText(/sending/)).toBeNull();
    live.emit(event('comment_deleted', 12, { ...comment, ...times, comment_count: 0 }));
    await tick();
    expect(screen.queryByText('Looks good')).toBeNull();
  });

  test('Escape leaves a comment that is being written, not the task, and keeps it', async () => {
    const { store } = await openBoard();
    const view = new BoardView(store);
    const close = vi.spyOn(view, 'closeTask').mockReturnValue();
    render(TaskPanel, { card: card('t1'), view });
    await settled();
    const field = screen.getByRole('textbox', { name: 'New comment' });
    field.focus();
    await fireEvent.input(field, { target: { value: 'Half a thought' } });
    await fireEvent.keyDown(field, { key: 'Escape', isComposing: true }); // of the input method, not ours
    expect(document.activeElement).toBe(field);
    await fireEvent.keyDown(field, { key: 'Escape' });
    expect(close).not.toHaveBeenCalled();
    const panel = screen.getByRole('dialog');
    expect(document.activeElement).toBe(panel);
    expect((field as HTMLTextAreaElement).value).toBe('Half a thought');
    await fireEvent.keyDown(panel, { key: 'Escape' });
    expect(close).toHaveBeenCalledOnce();
  });

  test.each([
    ['a phone', true],
    ['a wide screen', false],
  ])('the ways to its neighbours are there once on %s, as far as there are any', async (_screen, narrow) => {
    vi.stubGlobal('matchMedia', () => Object.assign(new EventTarget(), { matches: narrow }));
    const view = new BoardView((await openBoard()).store);
    const go = vi.spyOn(router, 'go').mockReturnValue();
    render(TaskPanel, { card: card('t1'), view });
    await settled();
    await fireEvent.click(screen.getByRole('button', { name: 'Task menu' }));
    const role = narrow ? 'menuitem' : 'button';
    const [previous, next] = ['Previous card', 'Next card'].map((name) =>
      screen.getByRole(role, { name, hidden: true }),
    );
    if (narrow) expect(previous).toHaveProperty('disabled', true);
    await fireEvent.click(next as HTMLElement);
    expect(go).toHaveBeenCalledExactlyOnceWith(view.taskPath(2), { replace: true });
  });

  test('ticking a line of the checklist sends the list, ids and all', async () => {
    const opened = await openBoard();
    const view = new BoardView(opened.store);
    const checklist = [
      { id: 'i1', text: 'a', done: false },
      { id: 'i2', text: 'b', done: false },
    ];
    render(TaskPanel, { card: card('t1', { checklist }), view });
    await settled();
    await fireEvent.click(screen.getByRole('checkbox', { name: 'b' }));
    expect(opened.rest.tasks.update.mock.calls[0]?.[1]).toEqual({
      checklist: [checklist[0], { id: 'i2', text: 'b', done: true }],
    });
  });
});

test('a task that is not there yet can be left', async () => {
  router.go('/inbox');
  vi.spyOn(session.rest.projects, 'board').mockReturnValue(new Promise(() => {}));
  router.go('/p/p/t/1');
  render(ProjectPage, { project: 'p', view: 'board', number: 1 });
  await fireEvent.click(screen.getByRole('button', { name: 'Close task' }));
  expect(router.route).toMatchObject({ page: 'project', task: null });
});

describe('a question', () => {
  const question = { title: 'Really?', text: 'It is gone then.', action: 'Yes' };
  const asked = () => screen.queryByRole('dialog', { name: 'Really?', hidden: true });

  test.each([
    ['its page was left', () => router.go('/inbox')],
    ['who was asked has signed out', () => (session.user = null)],
  ])('is answered no when %s', async (_, leave) => {
    session.user = { id: 'anna' } as User;
    router.go('/p/p');
    render(Confirm);
    const answer = confirmed(question);
    await tick();
    expect(asked()).not.toBeNull();
    leave();
    await tick();
    expect(asked()).toBeNull();
    expect(await answer).toBe(false);
  });

  test('about a task goes with the task', async () => {
    const { unmount } = await openTask();
    render(Confirm);
    await fireEvent.click(screen.getByRole('button', { name: 'Task menu' }));
    await fireEvent.click(screen.getByRole('menuitem', { name: 'Move to trash' }));
    expect(screen.queryByRole('dialog', { name: 'Move WEB-1 to the trash?', hidden: true })).not.toBeNull();
    unmount();
    await tick();
    expect(screen.queryByRole('dialog', { hidden: true })).toBeNull();
  });
});

describe('making an account', () => {
  test('the first one needs the code, and a refusal is told at its field', async () => {
    const fields = [{ field: 'body.password', message: 'is too common', code: 'weak' }];
    const register = vi
      .spyOn(session, 'register')
      .mockRejectedValue(new ApiError(422, { code: 'validation_error', errors: fields }));
    render(SignUpForm, { first: true });
    await fireEvent.input(screen.getByLabelText('One-time code'), { target: { value: ' abc ' } });
    await fireEvent.input(screen.getByLabelText('Name'), { target: { value: 'Анна' } });
    await fireEvent.input(screen.getByLabelText('E-mail'), { target: { value: 'anna@example.org' } });
    await fireEvent.input(screen.getByLabelText('Password'), { target: { value: 'long enough' } });
    await fireEvent.submit(screen.getByRole('button', { name: 'Create administrator' }));
    expect(register).toHaveBeenCalledExactlyOnceWith({
      email: 'anna@example.org',
      password: 'long enough',
      name: 'Анна',
      code: 'abc',
    });
    await settled();
    const field = screen.getByLabelText('Password');
    expect(field.getAttribute('aria-invalid')).toBe('true');
    const described = (field.getAttribute('aria-describedby') ?? '')
      .split(' ')
      .map((id) => document.getElementById(id)?.textContent);
    expect(described).toContain('is too common');
  });
});
