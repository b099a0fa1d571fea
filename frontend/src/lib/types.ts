/** The shapes of the REST API and of the event log, as the server sends them. */

export type Id = string;
/** A moment, ISO 8601 in UTC: `2026-11-22T10:00:00.123Z`. */
export type Timestamp = string;
export type Language = 'en' | 'ru';
export type Role = 'owner' | 'admin' | 'editor' | 'commenter' | 'viewer';
export type Priority = 'none' | 'low' | 'medium' | 'high' | 'urgent';
export type Visibility = 'private' | 'public';

export const ROLES: readonly Role[] = ['owner', 'admin', 'editor', 'commenter', 'viewer'];
/** Those who may write cards. */
export const EDITORS: ReadonlyArray<Role | null> = ['owner', 'admin', 'editor'];
export const PRIORITIES: readonly Priority[] = ['none', 'low', 'medium', 'high', 'urgent'];

export interface ServerInfo {
  name: string;
  version: string;
  registration: 'open' | 'invite' | 'closed';
  needs_admin: boolean;
  /** Whether the server sends mail. */
  mail: boolean;
}

export interface User {
  id: Id;
  email: string;
  name: string;
  language: Language;
  time_zone: string;
  avatar_color: string;
  is_admin: boolean;
  created_at: Timestamp;
}

export interface Tokens {
  access_token: string;
  token_type: 'bearer';
  expires_in: number;
  refresh_token: string | null;
  user: User;
}

export interface Session {
  id: Id;
  created_at: Timestamp;
  last_used_at: Timestamp;
  expires_at: Timestamp;
  user_agent: string | null;
  ip_address: string | null;
  current: boolean;
}

export interface Project {
  id: Id;
  key: string;
  name: string;
  description: string;
  visibility: Visibility;
  /** Boards kept from before the server had it are without. */
  hide_titles_in_push?: boolean;
  version: number;
  created_at: Timestamp;
  updated_at: Timestamp;
}

export interface ProjectWithRole extends Project {
  role: Role | null;
}

/** A project that its owners can still take back. */
export interface DeletedProject extends Project {
  deleted_at: Timestamp;
}

export interface Column {
  id: Id;
  key: string;
  name: string;
  position: string;
  wip_limit: number | null;
  is_done: boolean;
}

export interface Label {
  id: Id;
  name: string;
  color: string;
}

export interface Member {
  user_id: Id;
  name: string;
  avatar_color: string;
  role: Role;
  joined_at: Timestamp;
}

export interface Invitation {
  id: Id;
  project_id: Id;
  email: string | null;
  role: Role;
  created_at: Timestamp;
  expires_at: Timestamp;
  token: string | null;
  url: string | null;
}

export interface InvitationPreview {
  project_name: string;
  inviter_name: string;
  role: Role;
  email: string | null;
  expires_at: Timestamp;
}

export interface ChecklistItem {
  id: Id;
  text: string;
  done: boolean;
}

/** A task without its description: what the board shows. */
export interface Card {
  id: Id;
  project_id: Id;
  number: number;
  key: string;
  title: string;
  /** The key of the column it stands in. */
  status: string;
  priority: Priority;
  label_ids: Id[];
  assignee_ids: Id[];
  /** A day (`2026-11-25`), a moment, or null. */
  due: string | null;
  checklist: ChecklistItem[];
  position: string;
  version: number;
  comment_count: number;
  created_by: Id | null;
  created_at: Timestamp;
  updated_at: Timestamp;
  deleted_at: Timestamp | null;
  archived_at: Timestamp | null;
}

export interface Task extends Card {
  description: string;
}

/** One in the archive or the trash, and who put it there, while that is remembered. */
export interface ShelvedTask extends Task {
  put_away_by: Id | null;
  put_away_by_name: string | null;
}

/** What is said of a project beside something that is in it. */
export interface ProjectName {
  id: Id;
  key: string;
  name: string;
}

/** An open task that is assigned to the person who asks, with where it stands. */
export interface MyTask extends Card {
  project: ProjectName;
  column: Pick<Column, 'key' | 'name' | 'is_done'>;
}

/** A comment that mentions the person who asks. */
export interface Mention extends Comment {
  project: ProjectName;
  task: Pick<Card, 'id' | 'key' | 'number' | 'title'>;
}

/** Something found: a task, or a comment on it. `excerpt` is the words around the place. */
export interface SearchHit {
  kind: 'task' | 'comment';
  project: ProjectName;
  task: Card;
  comment: Comment | null;
  excerpt: string;
}

export interface Comment {
  id: Id;
  project_id: Id;
  task_id: Id;
  author_id: Id | null;
  author_name: string;
  body: string;
  mentions: Id[];
  version: number;
  created_at: Timestamp;
  updated_at: Timestamp;
  edited: boolean;
}

export interface Board {
  epoch: string;
  seq: number;
  role: Role | null;
  /** `deleted` appears once the log says that the project is gone. */
  project: Project & { deleted?: boolean };
  columns: Column[];
  labels: Label[];
  members: Member[];
  tasks: Card[];
}

/** A durable fact of a project's log. `data` is the whole object, its own id renamed, plus `changes`. */
export interface BoardEvent {
  type: string;
  project_id: Id;
  seq: number;
  timestamp: Timestamp;
  user_id: Id | null;
  op_id: string | null;
  data: Record<string, unknown>;
}

/** A filter somebody keeps under a name; `query` is the query of the board's address. */
export interface SavedView {
  id: Id;
  name: string;
  query: string;
  created_at: Timestamp;
}

/** An account as administrators see it. */
export interface AdminUser extends User {
  is_active: boolean;
  last_seen_at: Timestamp | null;
  project_count: number;
}

/** How the server is; what it cannot know is null. */
export interface Health {
  version: string;
  database: { kind: string; size_bytes: number | null; latency_ms: number; migration: string };
  broker: { kind: string; connected: boolean };
  data_free_bytes: number | null;
  backup: { last_at: Timestamp | null };
  uptime_s: number;
}

/** Numbers of a server's sockets; those that count up do so since it started. */
export interface SocketNumbers {
  active_connections: number;
  authenticated_users: number;
  anonymous_connections: number;
  active_rooms: number;
  total_connections: number;
  messages_sent: number;
  messages_received: number;
  events_delivered: number;
  replays: number;
}

/** The numbers of the server that answers, and of all: null while the servers do not hear each other. */
export interface SocketStats extends SocketNumbers {
  uptime_s: number;
  cluster: (SocketNumbers & { servers: number }) | null;
}

/** A part of a project's log. `next_since` is null at its head. */
export interface EventPage {
  epoch: string;
  seq: number;
  items: BoardEvent[];
  next_since: number | null;
}

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

/** The fields of a task that PATCH takes. */
export type TaskPatch = Partial<
  Pick<Task, 'title' | 'description' | 'status' | 'priority' | 'label_ids' | 'assignee_ids' | 'due'> & {
    checklist: Array<{ id?: Id; text: string; done: boolean }>;
  }
>;

/** Where a card goes: into a column, next to another card, or to the end. */
export interface Placement {
  status: string;
  before_id?: Id;
  after_id?: Id;
}

export const KINDS = [
  'assigned',
  'unassigned',
  'mentioned',
  'commented',
  'status_changed',
  'due_soon',
  'overdue',
  'project_added',
  'project_removed',
  'role_changed',
  'invited',
] as const;
/** What may be told. */
export type Kind = (typeof KINDS)[number];
/** Ways to be told; the last only where the server sends e-mail. */
export const CHANNELS = ['in_app', 'push', 'email'] as const;
export type Channel = (typeof CHANNELS)[number];

/** One thing told to the person who asks. */
export interface Notification {
  id: Id;
  /** `changes`: several things that happened to one task within a minute. */
  kind: Kind | 'changes';
  /** Why they are told: assignee, author, watcher … */
  why: string;
  project_id: Id;
  project_name: string;
  task_id: Id | null;
  task_key: string | null;
  task_title: string | null;
  comment_id: Id | null;
  excerpt: string | null;
  actor_id: Id | null;
  /** Empty where nobody did it. */
  actor_name: string;
  actor_color: string | null;
  count: number;
  details: Record<string, unknown>;
  created_at: Timestamp;
  updated_at: Timestamp;
  read_at: Timestamp | null;
  archived_at: Timestamp | null;
  snoozed_until: Timestamp | null;
  /** Position in the person's stream of its last change. */
  seq: number;
}

export type InboxFilter = 'all' | 'mentions' | 'assigned' | 'archived';
export interface NotificationPage extends Page<Notification> {
  unread: number;
}

/** By kind and way. Without a row in the inbox there is nothing that the other ways could point to. */
export type Matrix = Partial<Record<Kind, Partial<Record<Channel, boolean>>>>;
export interface ProjectNotifications {
  matrix?: Matrix;
  muted?: boolean;
  watched?: boolean;
}
/** How somebody wants to be told; what is missing or null is as it is by default, a project as everywhere. */
export interface NotificationSettings {
  matrix: Matrix;
  projects: Record<Id, ProjectNotifications | null>;
  /** Times of day in the person's time zone, between which nothing is pushed. */
  quiet: { from: string; to: string } | null;
  remind_before_min: number[];
  digest_after_h: number | null;
}
export type WatchState = 'watching' | 'muted' | 'default';

/** A browser that notifications are pushed to. */
export interface PushDevice {
  id: Id;
  label: string;
  created_at: Timestamp;
  /** Whether it is pushed to in the name of the session that asks, which is one browser's. */
  current: boolean;
}
