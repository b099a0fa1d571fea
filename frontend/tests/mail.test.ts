import { fireEvent, render, screen } from '@testing-library/svelte';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import NotificationMatrix from '../src/components/inbox/NotificationMatrix.svelte';
import { toasts } from '../src/lib/page/announcer.svelte';
import { router } from '../src/lib/page/router.svelte';
import { ApiError } from '../src/lib/server/errors';
import { session } from '../src/lib/server/session.svelte';
import type { NotificationSettings, ServerInfo } from '../src/lib/types';
import MailPage from '../src/pages/MailPage.svelte';
import SignInPage from '../src/pages/SignInPage.svelte';
import { settled } from './support/board';

const server: ServerInfo = { name: 'Time to DO', version: '1', registration: 'invite', needs_admin: false, mail: true };
const { mail } = session.rest;

beforeEach(() => {
  location.hash = '';
  session.server = server;
  router.go('/');
});

async function submit(label: string, value: string, button: string) {
  await fireEvent.input(screen.getByLabelText(label), { target: { value } });
  await fireEvent.click(screen.getByRole('button', { name: button }));
  await settled();
}

describe('a forgotten password', () => {
  test('is asked about where the server sends e-mail, and only there', async () => {
    const { unmount } = render(SignInPage, { next: '/' });
    expect(screen.getByRole('link', { name: 'Forgot your password?' }).getAttribute('href')).toBe('/forgot');
    unmount();
    session.server = { ...server, mail: false };
    render(SignInPage, { next: '/' });
    expect(screen.queryByRole('link', { name: 'Forgot your password?' })).toBeNull();
  });

  test('has a link sent, without a word of whether there is such an account', async () => {
    const forgot = vi.spyOn(mail, 'forgot').mockResolvedValue();
    render(MailPage, { page: 'forgot' });
    await submit('E-mail', ' anna@example.org ', 'Send me a link');
    expect(forgot).toHaveBeenLastCalledWith('anna@example.org');
    expect(screen.getByRole('status').textContent).toContain('If anna@example.org belongs to an account');
  });

  test('is a matter for the administrator where no e-mail is sent', () => {
    session.server = { ...server, mail: false };
    render(MailPage, { page: 'forgot' });
    expect(screen.getByText(/Ask its administrator/)).toBeTruthy();
    expect(screen.queryByRole('button', { name: 'Send me a link' })).toBeNull();
  });

  test('is replaced by the token behind the #, which does not stay in the address', async () => {
    const reset = vi.spyOn(mail, 'reset').mockResolvedValue();
    location.hash = 'a-token';
    render(MailPage, { page: 'reset' });
    await submit('New password', 'correct horse battery', 'Change password');
    expect(reset).toHaveBeenLastCalledWith('a-token', 'correct horse battery');
    expect(router.route).toEqual({ page: 'sign-in', next: '/' });
    expect(location.hash).toBe('');
    expect(toasts.list.at(-1)?.text).toContain('Sign in with the new one');
  });

  test('stays where the link is of no use, with the reason and the way to a new one', async () => {
    vi.spyOn(mail, 'reset').mockRejectedValue(new ApiError(404, { code: 'not_found' }));
    location.hash = 'old';
    render(MailPage, { page: 'reset' });
    await submit('New password', 'correct horse battery', 'Change password');
    expect(screen.getByRole('alert').textContent).toContain('was used, or is too old');
    expect(screen.getByRole('link', { name: 'Send me a new link' }).getAttribute('href')).toBe('/forgot');
  });

  test('cannot be replaced by half a link', () => {
    render(MailPage, { page: 'reset' });
    expect(screen.getByText(/not complete/)).toBeTruthy();
    expect(screen.queryByLabelText('New password')).toBeNull();
  });
});

describe('e-mails about what is unread', () => {
  test('end by a click, not by opening the page', async () => {
    const unsubscribe = vi.spyOn(mail, 'unsubscribe').mockResolvedValue();
    location.hash = 'a-token';
    render(MailPage, { page: 'unsubscribe' });
    expect(unsubscribe).not.toHaveBeenCalled();
    await fireEvent.click(screen.getByRole('button', { name: 'Stop these e-mails' }));
    await settled();
    expect(unsubscribe).toHaveBeenLastCalledWith('a-token');
    expect(screen.getByRole('status').textContent).toContain('come no more');
  });

  test('are chosen by kind, where the server sends any and one wants any', async () => {
    const settings: NotificationSettings = {
      matrix: {},
      projects: {},
      quiet: null,
      remind_before_min: [],
      digest_after_h: 8,
    };
    const onchange = vi.fn();
    const { rerender } = render(NotificationMatrix, { settings, project: null, mail: false, onchange });
    const box = () => screen.queryByRole<HTMLInputElement>('checkbox', { name: 'Somebody mentions me E-mail' });
    expect(box()).toBeNull();
    await rerender({ mail: true });
    expect(box()?.checked).toBe(true);
    await fireEvent.click(box() as HTMLInputElement);
    expect(onchange.mock.lastCall?.[0].matrix.mentioned.email).toBe(false);
    await rerender({ settings: { ...settings, digest_after_h: null } });
    expect(box()?.disabled).toBe(true);
  });
});
