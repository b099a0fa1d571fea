/** How somebody wants to be told, as the page shows and changes it. Pure functions; the server decides (domain/notifying). */
import type { Channel, Id, Kind, NotificationSettings } from '../types';

/** What is pushed and mailed where nothing else was chosen; in the inbox is everything. */
const PUSHED: ReadonlySet<Kind> = new Set(['assigned', 'mentioned', 'commented', 'due_soon', 'overdue']);
const MAILED: ReadonlySet<Kind> = new Set([...PUSHED, 'project_added', 'project_removed', 'invited']);
/** What a muted project or task does not hide. */
const PERSONAL: ReadonlySet<Kind> = new Set(['assigned', 'unassigned', 'mentioned']);
const ABOUT_ONESELF: ReadonlySet<Kind> = new Set(['project_added', 'project_removed', 'role_changed', 'invited']);

export const isHeardMuted = (kind: Kind): boolean => PERSONAL.has(kind) || ABOUT_ONESELF.has(kind);

/** The ways it is told: in a project as chosen there, else as everywhere, else by default. */
export function waysOf(settings: NotificationSettings, kind: Kind, project: Id | null): Record<Channel, boolean> {
  const byDefault = { in_app: true, push: PUSHED.has(kind), email: MAILED.has(kind) };
  const own = project === null ? undefined : settings.projects[project]?.matrix?.[kind];
  return { ...byDefault, ...settings.matrix[kind], ...own };
}

/** What to change: no more than was touched, as the rest may be being changed elsewhere. */
export type Change = Partial<NotificationSettings>;

export function toWant(kind: Kind, channel: Channel, project: Id | null, wanted: boolean): Change {
  const matrix = { [kind]: { [channel]: wanted } };
  return project === null ? { matrix } : { projects: { [project]: { matrix } } };
}

/** The settings as they are after the change, the way the server does it: what has parts is changed part by part. */
export function changed<T extends object>(before: T, change: object): T {
  const after = { ...before } as Record<string, unknown>;
  for (const [key, value] of Object.entries(change)) {
    const hasParts = typeof value === 'object' && value !== null && !Array.isArray(value);
    after[key] = hasParts ? changed(after[key] ?? {}, value) : value;
  }
  return after as T;
}

/** Minutes before a due date that one may be reminded, the earliest first. */
export const REMINDERS = [4320, 1440, 180, 60, 15] as const;

export const toRemind = (settings: NotificationSettings, minutes: number, wanted: boolean): Change => ({
  remind_before_min: [
    ...settings.remind_before_min.filter((one) => one !== minutes),
    ...(wanted ? [minutes] : []),
  ].sort((a, b) => b - a),
});

/** Hours after which what is unread is mailed; null: never. */
export const DIGESTS = [null, 1, 4, 8, 24] as const;
export const QUIET = { from: '22:00', to: '08:00' };
