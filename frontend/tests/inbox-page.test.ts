import { readFileSync } from 'node:fs';
import { fireEvent, render, screen } from '@testing-library/svelte';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import NotificationSettingsPanel from '../src/components/inbox/NotificationSettings.svelte';
import { headline, describe as inWords, reason } from '../src/lib/inbox/describe';
import { News } from '../src/lib/inbox/news';
import { type Change, changed, isHeardMuted, toRemind, toWant, waysOf } from '../src/lib/inbox/preferences';
import { Push, type PushWorld } from '../src/lib/inbox/push.svelte';
import { SettingsForm } from '../src/lib/inbox/settings-form.svelte';
import { announcer, toasts } from '../src/lib/page/announcer.svelte';
import { bell } from '../src/lib/page/bell.svelte';
import { router } from '../src/lib/page/router.svelte';
import type { Endpoints } from '../src/lib/server/endpoints';
import { ApiError, NetworkError } from '../src/lib/server/errors';
import { session } from '../src/lib/server/session.svelte';
import { clock } from '../src/lib/time/clock.svelte';
import { KINDS, type Notification, type NotificationSettings, type PushDevice } from '../src/lib/types';
import { i18n } from '../src/lib/words/i18n.svelte';
import { settled } from './support/board';
import { at, notification } from './support/inbox';

const now = new Date(at(30));
const settings: NotificationSettings = {
  matrix: {},
  projects: {},
  quiet: null,
  remind_before_min: [1440, 60],
  digest_after_h: 8,
};

describe('a notification in words', () => {
  const say = (over: Partial<Notification>) => inWords(notification('n', over));

  beforeEach(() => {
    clock.now = now;
  });

  test('says what happened, in both languages', () => {
    expect(say({ kind: 'status_changed', details: { status: 'done', column: 'Done' } })).toBe('moved it to “Done”');
    expect(say({ kind: 'overdue', details: { due: '2026-11-24' } })).toBe('Overdue since yesterday');
    expect(say({ kind: 'changes', count: 12 })).toBe('made 12 changes');
    i18n.language = 'ru';
    expect(say({ kind: 'changes', count: 12 })).toBe('вносит 12 изменений');
    expect(say({ kind: 'role_changed', details: { role: 'editor' } })).toMatch(/^меняет вашу роль: /);
    expect(headline(notification('n', { kind: 'mentioned' }))).toBe('Борис упоминает вас · WEB-1 Главная');
  });

  test('has words for every kind, and some for those it does not know', () => {
    for (const kind of KINDS) expect(say({ kind })).toBeTruthy();
    expect(say({ kind: 'teleported' as Notification['kind'] })).toBe('changed something');
    expect(reason(notification('n', { why: 'fate' }))).toBe('it concerns you');
    expect(reason(notification('n', { why: 'author' }))).toBe('you created the card');
  });
});

describe('news', () => {
  const looking = { visible: true, focused: true };
  const seeTask = vi.fn();
  const open = () => new News({ headline: ({ id }) => `news ${id}`, seeTask, looking: () => looking });
  const shown = () => toasts.list.map(({ text }) => text);

  beforeEach(() => {
    vi.useFakeTimers();
    for (const { id } of toasts.list) toasts.dismiss(id);
    Object.assign(looking, { visible: true, focused: true });
    seeTask.mockReset();
    router.go('/');
    return () => vi.useRealTimers();
  });

  test('is one message at a time, the last', () => {
    const news = open();
    news.add(notification('n1'));
    vi.advanceTimersByTime(1_000);
    news.add(notification('n2'));
    vi.advanceTimersByTime(1_000);
    expect(shown()).toEqual(['news n2']);
    toasts.list[0]?.action?.run();
    expect(router.route).toEqual({ page: 'home', open: { project: 'p', number: 1 } });
  });

  test('of one moment is one message, which leads to the inbox', () => {
    const news = open();
    for (const id of ['n1', 'n2', 'n3']) news.add(notification(id));
    vi.advanceTimersByTime(1_000);
    expect(shown()).toEqual(['3 new notifications']);
    toasts.list[0]?.action?.run();
    expect(router.route.page).toBe('inbox');
  });

  test('of the task one has before oneself is read, and not told', () => {
    const news = open();
    const close = bell.open('t1');
    news.add(notification('n1'));
    vi.advanceTimersByTime(1_000);
    expect(shown()).toEqual([]);
    expect(seeTask).toHaveBeenCalledWith('t1');
    looking.focused = false;
    news.add(notification('n2'));
    vi.advanceTimersByTime(1_000);
    expect(shown()).toEqual(['news n2']);
    close();
  });

  test('is only read out on the inbox, and not told where nobody looks', () => {
    const news = open();
    router.go('/inbox');
    news.add(notification('n1'));
    vi.advanceTimersByTime(1_000);
    expect(shown()).toEqual([]);
    expect(announcer.text.trim()).toBe('news n1');
    router.go('/');
    looking.visible = false;
    news.add(notification('n2'));
    vi.advanceTimersByTime(1_000);
    expect(shown()).toEqual([]);
  });
});

describe('the preferences', () => {
  test('what nobody has chosen is as the server decides', () => {
    const defaults = JSON.parse(readFileSync('../tests/fixtures/notification_defaults.json', 'utf8'));
    const found = KINDS.map((kind) => {
      const ways = Object.entries(waysOf(settings, kind, null)).filter(([, wanted]) => wanted);
      return [kind, ways.map(([channel]) => channel)];
    });
    expect(Object.fromEntries(found)).toEqual(defaults);
  });

  test('are the project’s, else those for everywhere, else the default', () => {
    const pushed = (wanted: NotificationSettings, project: string) => waysOf(wanted, 'mentioned', project).push;
    expect(pushed(settings, 'p')).toBe(true);
    const everywhere = changed(settings, toWant('mentioned', 'push', null, false));
    expect(pushed(everywhere, 'p')).toBe(false);
    const here = changed(everywhere, toWant('mentioned', 'push', 'p', true));
    expect(pushed(here, 'p')).toBe(true);
    expect(pushed(here, 'q')).toBe(false);
    const muted = changed(here, { projects: { p: { muted: true } } });
    expect(muted.projects.p).toEqual({ matrix: { mentioned: { push: true } }, muted: true });
    expect(KINDS.filter((kind) => !isHeardMuted(kind))).toEqual(['commented', 'status_changed', 'due_soon', 'overdue']);
    expect(pushed(changed(muted, { projects: { p: null } }), 'p')).toBe(false);
  });

  test('keep reminders in order', () => {
    expect(toRemind(settings, 180, true)).toEqual({ remind_before_min: [1440, 180, 60] });
    expect(toRemind(settings, 1440, false)).toEqual({ remind_before_min: [60] });
  });

  test('are saved one after the other, and shown as they are where that fails', async () => {
    const saveSettings = vi.fn(async (sent: Change) => ({ ...settings, ...sent }));
    const form = new SettingsForm({
      notifications: { settings: async () => settings, saveSettings },
    } as unknown as Endpoints);
    await form.load();
    const first = form.change(toRemind(settings, 15, true));
    void form.change(toRemind(settings, 180, true));
    await first;
    expect(saveSettings.mock.calls.map(([sent]) => sent.remind_before_min)).toEqual([
      [1440, 60, 15],
      [1440, 180, 60],
    ]);
    saveSettings.mockResolvedValueOnce({ ...settings, digest_after_h: 24, remind_before_min: [60] });
    await form.change({ remind_before_min: [60] });
    expect(form.settings?.digest_after_h).toBe(24); // chosen on another device
    saveSettings.mockRejectedValue(new NetworkError());
    await form.change(toRemind(settings, 15, true));
    expect(form.settings?.remind_before_min).toEqual([60]);
    expect(form.saved).toBe(false);
  });

  test('are read again when the page is looked at again, and what is changed here meanwhile stays', async () => {
    const read = vi.spyOn(session.rest.notifications, 'settings').mockResolvedValue(settings);
    const save = vi
      .spyOn(session.rest.notifications, 'saveSettings')
      .mockImplementation(async (sent) => ({ ...settings, ...sent }));
    const look = () => document.dispatchEvent(new Event('visibilitychange'));
    const box = () => screen.getByRole<HTMLInputElement>('checkbox', { name: 'Somebody mentions me Push' });
    render(NotificationSettingsPanel);
    await settled();
    read.mockResolvedValue({ ...settings, digest_after_h: null });
    look();
    await settled();
    await fireEvent.click(box());
    await settled();
    expect(save.mock.lastCall?.[0]).toEqual({ matrix: { mentioned: { push: false } } });
    read.mockRejectedValue(new NetworkError());
    look();
    await settled();
    expect(screen.queryByRole('alert')).toBeNull();
    const late = Promise.withResolvers<NotificationSettings>();
    read.mockReturnValue(late.promise);
    look();
    const was = box().checked;
    const before = { ...settings, digest_after_h: null };
    await fireEvent.click(box());
    late.resolve(before);
    await settled();
    expect(box().checked).toBe(!was);
  });
});

describe('push', () => {
  const device = (id: string, current = true): PushDevice => ({ id, label: 'Chrome', created_at: at(0), current });

  function browser(over: Partial<PushWorld> = {}, permission: NotificationPermission = 'default') {
    const browserState = { permission, subscription: null as object | null };
    const made = {
      toJSON: () => ({ endpoint: 'https://push.example.org/1', keys: { p256dh: 'k', auth: 'a' } }),
      unsubscribe: vi.fn(async () => true),
    };
    const manager = {
      subscribe: vi.fn(async () => {
        browserState.subscription = made;
        return made;
      }),
      getSubscription: async () => browserState.subscription,
    };
    const push = {
      key: vi.fn(async () => ({ public_key: 'server' })),
      devices: vi.fn(async (): Promise<PushDevice[]> => []),
      add: vi.fn(async () => device('d1')),
      remove: vi.fn(async () => {}),
      test: vi.fn(async () => {}),
    };
    const world: PushWorld = {
      secure: true,
      agent: 'Mozilla/5.0 (X11; Linux x86_64) Chrome/150.0',
      permission: () => browserState.permission,
      ask: async () => {
        browserState.permission = browserState.permission === 'default' ? 'granted' : browserState.permission;
        return browserState.permission;
      },
      manager: async () => manager as unknown as PushManager,
      ...over,
    };
    return { store: new Push({ push } as unknown as Endpoints, world), push, manager, made, browserState };
  }

  const nowhere = async (): Promise<PushManager | null> => null;

  test.each([
    ['insecure', { secure: false }, 'default'],
    ['unsupported', { manager: nowhere }, 'default'],
    ['install', { manager: nowhere, agent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 26)' }, 'default'],
    ['denied', {}, 'denied'],
    ['off', {}, 'default'],
  ] as const)('is %s where it is', async (state, over, permission) => {
    const { store } = browser(over, permission);
    await store.look();
    expect(store.state).toBe(state);
  });

  test('is turned on with the server’s key, and off again, here and there', async () => {
    const { store, push, manager, made, browserState } = browser();
    await store.look();
    expect(store.offers).toBe(true);
    await store.turnOn();
    expect(manager.subscribe).toHaveBeenCalledWith({ userVisibleOnly: true, applicationServerKey: 'server' });
    expect(push.add).toHaveBeenCalledWith({
      endpoint: 'https://push.example.org/1',
      keys: { p256dh: 'k', auth: 'a' },
      label: 'Chrome, Linux',
    });
    expect([store.state, store.own, store.offers]).toEqual(['on', 'd1', false]);
    const again = new Push({ push } as unknown as Endpoints, worldOf(browserState, manager));
    await again.look();
    expect(again.state).toBe('on');
    await store.remove('d1');
    expect(push.remove).toHaveBeenCalledWith('d1');
    expect(made.unsubscribe).toHaveBeenCalled();
    expect([store.state, store.own]).toEqual(['off', null]);
  });

  const worldOf = (state: { permission: NotificationPermission }, manager: object): PushWorld => ({
    secure: true,
    agent: '',
    permission: () => state.permission,
    ask: async () => state.permission,
    manager: async () => manager as PushManager,
  });

  test('knows this browser again when its service worker has subscribed anew', async () => {
    const { store, push } = browser();
    await store.turnOn();
    push.devices.mockResolvedValue([device('d1'), device('d2', false), device('d3')]);
    await store.loadDevices();
    expect(store.own).toBe('d3');
    push.devices.mockResolvedValue([device('d2', false)]);
    await store.loadDevices();
    expect(store.own).toBeNull();
  });

  test('is not spoken of where the server does not push', async () => {
    const { store, push } = browser();
    push.key.mockRejectedValue(new ApiError(404, {}));
    await store.look();
    expect([store.state, store.offers]).toEqual(['unserved', false]);
  });

  test('says so when the browser was told no', async () => {
    const { store, push } = browser({ ask: async () => 'denied' });
    await store.look();
    await store.turnOn();
    expect(store.state).toBe('denied');
    expect(push.add).not.toHaveBeenCalled();
  });

  test('drops a subscription that was made with another key', async () => {
    const { store, manager, made, browserState } = browser();
    browserState.subscription = made;
    manager.subscribe.mockRejectedValueOnce(new Error('InvalidStateError'));
    await store.turnOn();
    expect(made.unsubscribe).toHaveBeenCalled();
    expect(store.state).toBe('on');
  });

  test('is offered once a device', async () => {
    const { store } = browser();
    await store.look();
    store.answerOffer();
    expect(store.offers).toBe(false);
    const { store: next } = browser();
    await next.look();
    expect(next.offers).toBe(false);
  });
});
