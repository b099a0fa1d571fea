/** The REST API, one function per route, typed. */

import type {
  AdminUser,
  Board,
  BoardEvent,
  Column,
  Comment,
  DeletedProject,
  EventPage,
  Health,
  Id,
  InboxFilter,
  Invitation,
  InvitationPreview,
  Label,
  Member,
  Mention,
  MyTask,
  Notification,
  NotificationPage,
  NotificationSettings,
  Page,
  ProjectWithRole,
  PushDevice,
  Role,
  SavedView,
  SearchHit,
  ServerInfo,
  Session,
  ShelvedTask,
  SocketStats,
  Task,
  User,
  WatchState,
} from '../types';
import type { Api, Options } from './api';

/** Largest page the server gives. */
const PAGE_LIMIT = 200;

export type ColumnFields = Partial<Pick<Column, 'name' | 'wip_limit' | 'is_done'>> & { before_id?: Id; after_id?: Id };
export type LabelFields = Partial<Pick<Label, 'name' | 'color'>>;
export type ProjectFields = Partial<
  Pick<ProjectWithRole, 'name' | 'description' | 'visibility' | 'hide_titles_in_push'>
> & { key?: string };
export interface NotificationFields {
  read?: boolean;
  archived?: boolean;
  snoozed_until?: string | null;
}
export type UserFields = Partial<Pick<User, 'name' | 'language' | 'time_zone' | 'avatar_color'>>;

/** Parameters of an address, without those that are empty. */
const queryOf = (values: Record<string, string | null>) =>
  new URLSearchParams(Object.entries(values).filter((pair): pair is [string, string] => Boolean(pair[1]))).toString();

export function endpoints(api: Api) {
  /** Every item of a list, page after page. */
  async function all<T>(path: string, options: Options = {}): Promise<T[]> {
    const items: T[] = [];
    let cursor: string | null = null;
    do {
      const query: string = `?limit=${PAGE_LIMIT}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`;
      const page: Page<T> = await api.get<Page<T>>(path + query, options);
      items.push(...page.items);
      cursor = page.next_cursor;
    } while (cursor);
    return items;
  }
  const post = <T>(path: string, body?: unknown, options: Options = {}) =>
    api.change<T>('POST', path, { ...options, body: body ?? {} });
  const patch = <T>(path: string, body: unknown, options: Options = {}) =>
    api.change<T>('PATCH', path, { ...options, body });
  const remove = (path: string, options: Options = {}) => api.change<void>('DELETE', path, options);

  const put = <T>(path: string, body: unknown) => api.change<T>('PUT', path, { body });

  return {
    server: () => api.get<ServerInfo>('/server', { auth: 'none' }),

    me: {
      update: (fields: UserFields) => patch<User>('/users/me', fields),
      changePassword: (current_password: string, new_password: string) =>
        post<void>('/auth/password', { current_password, new_password }),
      sessions: () => all<Session>('/auth/sessions'),
      endSession: (id: Id) => remove(`/auth/sessions/${id}`),
      tasks: () => all<MyTask>('/users/me/tasks'),
      mentions: (limit: number) => api.get<Page<Mention>>(`/users/me/mentions?limit=${limit}`),
    },

    mail: {
      /** Has a link to a new password sent, if that is somebody's address. */
      forgot: (email: string) => post<void>('/auth/forgot', { email }, { auth: 'none' }),
      reset: (token: string, password: string) => post<void>('/auth/reset', { token, password }, { auth: 'none' }),
      unsubscribe: (token: string) =>
        post<void>(`/mail/unsubscribe/${encodeURIComponent(token)}`, undefined, { auth: 'none' }),
    },

    projects: {
      list: () => all<ProjectWithRole>('/projects'),
      create: (fields: ProjectFields) => post<ProjectWithRole>('/projects', fields),
      update: (id: Id, fields: ProjectFields) => patch<ProjectWithRole>(`/projects/${id}`, fields),
      delete: (id: Id) => remove(`/projects/${id}`),
      deleted: () => all<DeletedProject>('/projects/trash'),
      restore: (id: Id) => post<ProjectWithRole>(`/projects/${id}/restore`),
      board: (id: Id) => api.get<Board>(`/projects/${id}/board`, { auth: 'optional' }),
      /** Events after `since`, oldest first; 410 where they are no longer all there. */
      events: (id: Id, since: number, epoch: string) =>
        api.get<EventPage>(`/projects/${id}/events?since=${since}&epoch=${encodeURIComponent(epoch)}&limit=1000`, {
          auth: 'optional',
        }),
      trash: (id: Id) => all<ShelvedTask>(`/projects/${id}/trash`),
      archive: (id: Id, q: string, cursor: string | null) =>
        api.get<Page<ShelvedTask>>(`/projects/${id}/archive?${queryOf({ q, cursor })}`, { auth: 'optional' }),
    },

    notifications: {
      list: (filter: InboxFilter, cursor: string | null, limit: number) =>
        api.get<NotificationPage>(`/notifications?${queryOf({ filter, cursor, limit: String(limit) })}`),
      update: (id: Id, fields: NotificationFields) => patch<Notification>(`/notifications/${id}`, fields),
      readAll: () => post<void>('/notifications/read_all'),
      archiveAll: () => post<void>('/notifications/archive_all'),
      settings: () => api.get<NotificationSettings>('/users/me/notification_settings'),
      saveSettings: (changed: Partial<NotificationSettings>) =>
        patch<NotificationSettings>('/users/me/notification_settings', changed),
    },

    push: {
      key: () => api.get<{ public_key: string }>('/push/key'),
      devices: () => all<PushDevice>('/push/devices'),
      add: (body: object) => post<PushDevice>('/push/devices', body),
      remove: (id: Id) => remove(`/push/devices/${id}`),
      test: (id: Id) => post<void>(`/push/devices/${id}/test`),
    },

    search: (query: string, project: Id | null, cursor: string | null) =>
      api.get<Page<SearchHit>>(`/search?${queryOf({ q: query, project_id: project, cursor })}`),

    members: {
      add: (project: Id, email: string, role: Role) =>
        post<Member | Invitation>(`/projects/${project}/members`, { email, role }),
      setRole: (project: Id, user: Id, role: Role) => patch<Member>(`/projects/${project}/members/${user}`, { role }),
      remove: (project: Id, user: Id) => remove(`/projects/${project}/members/${user}`),
    },

    invitations: {
      list: (project: Id) => all<Invitation>(`/projects/${project}/invitations`),
      create: (project: Id, role: Role) => post<Invitation>(`/projects/${project}/invitations`, { role }),
      revoke: (project: Id, id: Id) => remove(`/projects/${project}/invitations/${id}`),
      preview: (token: string) =>
        api.get<InvitationPreview>(`/invitations/${encodeURIComponent(token)}`, { auth: 'none' }),
      accept: (token: string) => post<ProjectWithRole>(`/invitations/${encodeURIComponent(token)}/accept`),
    },

    columns: {
      create: (project: Id, fields: ColumnFields) => post<Column>(`/projects/${project}/columns`, fields),
      update: (project: Id, id: Id, fields: ColumnFields) =>
        patch<Column>(`/projects/${project}/columns/${id}`, fields),
      delete: (project: Id, id: Id) => remove(`/projects/${project}/columns/${id}`),
    },

    labels: {
      create: (project: Id, fields: LabelFields) => post<Label>(`/projects/${project}/labels`, fields),
      update: (project: Id, id: Id, fields: LabelFields) => patch<Label>(`/projects/${project}/labels/${id}`, fields),
      delete: (project: Id, id: Id) => remove(`/projects/${project}/labels/${id}`),
    },

    views: {
      list: (project: Id) => all<SavedView>(`/projects/${project}/views`),
      create: (project: Id, fields: Pick<SavedView, 'name' | 'query'>) =>
        post<SavedView>(`/projects/${project}/views`, fields),
      update: (project: Id, id: Id, fields: Partial<Pick<SavedView, 'name' | 'query'>>) =>
        patch<SavedView>(`/projects/${project}/views/${id}`, fields),
      delete: (project: Id, id: Id) => remove(`/projects/${project}/views/${id}`),
    },

    admin: {
      /** One page at a time: a server may have very many people. */
      users: (q: string, cursor: string | null) => api.get<Page<AdminUser>>(`/admin/users?${queryOf({ q, cursor })}`),
      updateUser: (id: Id, fields: Partial<Pick<AdminUser, 'is_active' | 'is_admin'>>) =>
        patch<AdminUser>(`/admin/users/${id}`, fields),
      health: () => api.get<Health>('/admin/health'),
      sockets: () => api.get<SocketStats>('/ws/stats'),
    },

    tasks: {
      get: (id: Id) => api.get<Task>(`/tasks/${id}`, { auth: 'optional' }),
      create: (body: object, options: Options) => post<Task>('/tasks', body, options),
      update: (id: Id, body: object, options: Options) => patch<Task>(`/tasks/${id}`, body, options),
      move: (id: Id, body: object, options: Options) => post<Task>(`/tasks/${id}/move`, body, options),
      delete: (id: Id, options?: Options) => remove(`/tasks/${id}`, options),
      restore: (id: Id, options?: Options) => post<Task>(`/tasks/${id}/restore`, {}, options),
      archive: (id: Id, options?: Options) => post<Task>(`/tasks/${id}/archive`, {}, options),
      unarchive: (id: Id, options?: Options) => post<Task>(`/tasks/${id}/unarchive`, {}, options),
      /** What was told about it has been seen. */
      read: (id: Id) => post<void>(`/tasks/${id}/read`),
      watching: (id: Id) => api.get<{ state: WatchState }>(`/tasks/${id}/watch`),
      watch: (id: Id, state: WatchState) => put<{ state: WatchState }>(`/tasks/${id}/watch`, { state }),
      /** What happened to it, newest first. */
      activity: (id: Id, cursor: string | null) =>
        api.get<Page<BoardEvent>>(`/tasks/${id}/activity?${queryOf({ cursor, limit: '50' })}`, { auth: 'optional' }),
    },

    comments: {
      list: (task: Id) => all<Comment>(`/tasks/${task}/comments`, { auth: 'optional' }),
      add: (task: Id, body: string, options: Options) => post<Comment>(`/tasks/${task}/comments`, { body }, options),
      update: (id: Id, body: string, options?: Options) => patch<Comment>(`/comments/${id}`, { body }, options),
      delete: (id: Id, options?: Options) => remove(`/comments/${id}`, options),
      restore: (id: Id, options?: Options) => post<Comment>(`/comments/${id}/restore`, undefined, options),
    },
  };
}

export type Endpoints = ReturnType<typeof endpoints>;
