/** Notifications for tests, and a server that gives them. */
import { vi } from 'vitest';
import type { Message } from '$client';
import type { InboxFilter, Notification } from '../../src/lib/types';

export const at = (minute: number) => new Date(Date.UTC(2026, 10, 25, 10, minute)).toISOString();

export const notification = (id: string, over: Partial<Notification> = {}): Notification => ({
  id,
  kind: 'commented',
  why: 'assignee',
  project_id: 'p',
  project_name: 'Сайт',
  task_id: 't1',
  task_key: 'WEB-1',
  task_title: 'Главная',
  comment_id: null,
  excerpt: null,
  actor_id: 'boris',
  actor_name: 'Борис',
  actor_color: '#1565c0',
  count: 1,
  details: {},
  created_at: at(0),
  updated_at: at(0),
  read_at: null,
  archived_at: null,
  snoozed_until: null,
  seq: 1,
  ...over,
});

/** The REST side: lists by page, newest first, as the server would. */
export function fakeInboxServer(items: Notification[]) {
  const server = { items, unread: items.filter(({ read_at }) => read_at === null).length, page: 100 };
  const inList = (item: Notification, filter: InboxFilter) =>
    filter === 'archived'
      ? item.archived_at !== null
      : item.archived_at === null && (filter !== 'mentions' || item.kind === 'mentioned');
  const rest = {
    notifications: {
      list: vi.fn(async (filter: InboxFilter, cursor: string | null) => {
        const all = server.items
          .filter((item) => inList(item, filter))
          .sort((a, b) => (a.updated_at < b.updated_at ? 1 : -1));
        const start = Number(cursor ?? 0);
        const end = start + server.page;
        return {
          items: all.slice(start, end),
          next_cursor: end < all.length ? String(end) : null,
          unread: server.unread,
        };
      }),
      update: vi.fn(async (id: string) => server.items.find((item) => item.id === id) as Notification),
      readAll: vi.fn(async () => {}),
      archiveAll: vi.fn(async () => {}),
    },
    tasks: { read: vi.fn(async () => {}), watch: vi.fn(async () => ({ state: 'muted' })) },
  };
  return { server, rest };
}

/** The stream as a tab hears it. */
export class FakeStream {
  joins = 0;
  readonly #handlers: Array<[string, (message: Message) => unknown]> = [];

  joinUser(): void {
    this.joins++;
  }

  on(name: string, handler: (message: Message) => unknown): () => void {
    this.#handlers.push([name, handler]);
    return () => {};
  }

  emit(type: string, data: object, seq?: number): void {
    const message = { type, data, timestamp: at(59), ...(seq !== undefined && { seq }) } as Message;
    for (const [name, handler] of this.#handlers) if (name === type) handler(message);
  }

  tell(seq: number, item: Partial<Notification> & { id: string }, unread: number, action = 'added'): void {
    this.emit(
      'notification',
      { action, notification: notification(item.id, { seq, ...item }), project_id: null, unread },
      seq,
    );
  }
}
