import { fireEvent, render, screen, within } from '@testing-library/svelte';
import { describe, expect, test, vi } from 'vitest';
import ColumnsPanel from '../src/components/settings/ColumnsPanel.svelte';
import DeleteProject from '../src/components/settings/DeleteProject.svelte';
import LabelsPanel from '../src/components/settings/LabelsPanel.svelte';
import MembersPanel from '../src/components/settings/MembersPanel.svelte';
import ProjectForm from '../src/components/settings/ProjectForm.svelte';
import { dropIndex, moves } from '../src/lib/drag/reorder.svelte';
import { announcer } from '../src/lib/page/announcer.svelte';
import { ApiError } from '../src/lib/server/errors';
import { session } from '../src/lib/server/session.svelte';
import { board, event, openBoard, settled } from './support/board';

async function open(over: Parameters<typeof openBoard>[0] = {}) {
  const opened = await openBoard(over);
  const columns = { create: vi.fn(async () => ({})), update: vi.fn(async () => ({})), delete: vi.fn(async () => {}) };
  const labels = { create: vi.fn(async () => ({})), update: vi.fn(async () => ({})), delete: vi.fn(async () => {}) };
  const members = { add: vi.fn(), setRole: vi.fn(async () => ({})), remove: vi.fn(async () => {}) };
  const invitations = { list: vi.fn(async () => []) };
  Object.assign(opened.rest, { columns, labels, members, invitations });
  Object.assign(opened.rest.projects, { update: vi.fn(async () => ({})), delete: vi.fn(async () => {}) });
  return { ...opened, columns, labels, members };
}

describe('columns', () => {
  const handle = (name: string) => screen.getByRole('button', { name: new RegExp(`^${name}, \\d of`) });

  test('an arrow on a handle moves the column, and says where to', async () => {
    const { store, columns } = await open();
    render(ColumnsPanel, { store });
    await fireEvent.keyDown(handle('Doing'), { key: 'ArrowUp' });
    expect(columns.update).toHaveBeenLastCalledWith('p', 'c-doing', { before_id: 'c-todo' });
    await settled();
    expect(announcer.text).toContain('Doing moved, 1 of 3');
    await fireEvent.keyDown(handle('Doing'), { key: 'ArrowDown' });
    expect(columns.update).toHaveBeenLastCalledWith('p', 'c-doing', { after_id: 'c-done' });
    await settled();
    expect(announcer.text).toContain('Doing moved, 3 of 3');
  });

  test('at the edge there is nowhere to go', async () => {
    const { store, columns } = await open();
    render(ColumnsPanel, { store });
    await fireEvent.keyDown(handle('To do'), { key: 'ArrowUp' });
    await fireEvent.keyDown(handle('Done'), { key: 'ArrowDown' });
    expect(columns.update).not.toHaveBeenCalled();
  });

  test('one with cards in it cannot be deleted', async () => {
    const { store } = await open();
    render(ColumnsPanel, { store });
    await fireEvent.click(screen.getByRole('button', { name: 'Menu of the column To do' }));
    expect(screen.getByRole<HTMLButtonElement>('menuitem', { name: /Delete column/ }).disabled).toBe(true);
  });

  test('a name that somebody else changes shows at once', async () => {
    const { store, live } = await open();
    render(ColumnsPanel, { store });
    live.emit(event('column_updated', 11, { column_id: 'c-doing', ...board().columns[1], name: 'In review' }));
    await settled();
    expect(handle('In review')).toBeTruthy();
  });

  test('a drop goes before the first row whose middle is below the pointer', () => {
    expect(dropIndex([10, 30, 50], 5)).toBe(0);
    expect(dropIndex([10, 30, 50], 31)).toBe(2);
    expect(dropIndex([10, 30, 50], 99)).toBe(3);
    expect([0, 1, 2, 3].map((before) => moves(1, before))).toEqual([true, false, false, true]);
  });
});

describe('members', () => {
  test('the last owner can neither leave nor lose the role, and it says why', async () => {
    const { store } = await open();
    render(MembersPanel, { store });
    expect(screen.queryByLabelText('Role of Анна')).toBeNull();
    expect(screen.queryByRole('button', { name: 'Leave the project' })).toBeNull();
    expect(screen.getByRole('button', { name: 'The last owner: appoint another one first' })).toBeTruthy();
  });

  test('a role is changed by choosing another', async () => {
    const { store, members } = await open();
    render(MembersPanel, { store });
    await fireEvent.change(screen.getByLabelText('Role of Борис'), { target: { value: 'viewer' } });
    expect(members.setRole).toHaveBeenCalledExactlyOnceWith('p', 'boris', 'viewer');
  });

  test('a role that is refused is not shown as if it were taken, and the reason is said', async () => {
    const { store, live, members } = await open();
    render(MembersPanel, { store });
    const field = screen.getByLabelText<HTMLSelectElement>('Role of Борис');
    members.setRole.mockRejectedValueOnce(new ApiError(403, { code: 'forbidden' }));
    await fireEvent.change(field, { target: { value: 'admin' } });
    await settled();
    expect(field.value).toBe('editor');
    expect(screen.getByRole('alert').textContent).toBe('You are not allowed to do this.');
    members.setRole.mockImplementationOnce(async () => {
      live.emit(event('project_member_updated', 11, { ...board().members[1], role: 'viewer' }));
      throw new ApiError(403, { code: 'forbidden' });
    });
    await fireEvent.change(field, { target: { value: 'admin' } });
    await settled();
    expect(field.value).toBe('viewer');
  });

  test('who may not manage sees roles, but no way to change them and no invitations', async () => {
    const { store } = await open({ user: 'boris' });
    render(MembersPanel, { store });
    expect(screen.queryByRole('combobox')).toBeNull();
    expect(screen.queryByRole('heading', { name: 'Invite people' })).toBeNull();
    expect(screen.getByRole('button', { name: 'Leave the project' })).toBeTruthy();
  });
});

describe('an invitation for an address', () => {
  const made = { id: 'i', email: 'new@example.org', role: 'editor', token: 'secret', url: 'https://x/invite/secret' };

  test.each([
    [true, 'The invitation was sent to new@example.org. The link is also shown here, this once.'],
    [false, 'The link is shown this once. Send it to the person yourself.'],
  ])('says whether it was mailed (%s), and has its link', async (mail, text) => {
    const { store, members } = await open();
    session.server = { name: 'Time to DO', version: '1', registration: 'open', needs_admin: false, mail };
    members.add.mockResolvedValue(made);
    render(MembersPanel, { store });
    await fireEvent.input(screen.getByLabelText('E-mail'), { target: { value: made.email } });
    await fireEvent.click(screen.getByRole('button', { name: 'Invite' }));
    await settled();
    expect(screen.getByText(text)).toBeTruthy();
    expect(screen.getByLabelText<HTMLInputElement>('Invitation link').value).toBe(made.url);
  });
});

describe('labels', () => {
  test('a new one is made of a name and a colour; a refusal keeps both', async () => {
    const { store, labels } = await open();
    render(LabelsPanel, { store });
    await fireEvent.click(screen.getByRole('button', { name: 'New label' }));
    await fireEvent.input(screen.getByLabelText('Name'), { target: { value: ' urgent ' } });
    await fireEvent.click(screen.getByRole('radio', { name: 'Teal' }));
    labels.create.mockRejectedValueOnce(new ApiError(409, { code: 'conflict' }));
    await fireEvent.submit(screen.getByRole('button', { name: 'Save' }));
    await settled();
    expect(screen.getByRole('alert').textContent).toContain('does not fit');
    await fireEvent.submit(screen.getByRole('button', { name: 'Save' }));
    expect(labels.create).toHaveBeenLastCalledWith('p', { name: 'urgent', color: '#00796b' });
  });
});

describe('the project', () => {
  test('what is typed stays when somebody else changes the project', async () => {
    const { store, live } = await open();
    render(ProjectForm, { store, onsaved: vi.fn() });
    const name = screen.getByLabelText<HTMLInputElement>('Name');
    await fireEvent.input(name, { target: { value: 'Mine' } });
    live.emit(event('project_updated', 11, { ...board().project, name: 'Theirs' }));
    await settled();
    expect(screen.getByLabelText('Name')).toBe(name);
    expect(name.value).toBe('Mine');
  });

  test('is deleted only by who types its key', async () => {
    const { store, rest } = await open();
    const remove = (rest.projects as unknown as { delete: ReturnType<typeof vi.fn> }).delete;
    render(DeleteProject, { store });
    await fireEvent.click(screen.getByRole('button', { name: 'Delete project' }));
    const dialog = within(screen.getByRole('dialog', { hidden: true }));
    const button = dialog.getByRole<HTMLButtonElement>('button', { name: 'Delete project', hidden: true });
    expect(button.disabled).toBe(true);
    await fireEvent.submit(button);
    expect(remove).not.toHaveBeenCalled();
    await fireEvent.input(dialog.getByLabelText('Type WEB to confirm'), { target: { value: 'web' } });
    expect(button.disabled).toBe(false);
    await fireEvent.submit(button);
    expect(remove).toHaveBeenCalledExactlyOnceWith('p');
  });
});
