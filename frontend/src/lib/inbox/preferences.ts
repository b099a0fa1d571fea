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
  const own = project === null ? undefined : settings.projects[project]?.matrix?.[kind];
  const byDefault = { in_app: true, push: PUSHED.has(kind), email: MAILED.has(kind) };
  return own ?? settings.matrix[kind] ?? byDefault;
}

export function withWanted(
  settings: NotificationSettings,
  kind: Kind,
  channel: Channel,
  project: Id | null,
  wanted: boolean,
): NotificationSettings {
  const before = project === null ? settings.matrix : settings.projects[project]?.matrix;
  const matrix = { ...before, [kind]: { ...waysOf(settings, kind, project), [channel]: wanted } };
  return project === null ? { ...settings, matrix } : withProject(settings, project, { matrix });
}

/** With these things of a project set. */
export function withProject(
  settings: NotificationSettings,
  project: Id,
  change: NotificationSettings['projects'][Id],
): NotificationSettings {
  return { ...settings, projects: { ...settings.projects, [project]: { ...settings.projects[project], ...change } } };
}

/** The project as everywhere. */
export function withoutProject(settings: NotificationSettings, project: Id): NotificationSettings {
  const { [project]: _, ...projects } = settings.projects;
  return { ...settings, projects };
}

/** Minutes before a due date that one may be reminded, the earliest first. */
export const REMINDERS = [4320, 1440, 180, 60, 15] as const;

export const withReminder = (
  settings: NotificationSettings,
  minutes: number,
  wanted: boolean,
): NotificationSettings => ({
  ...settings,
  remind_before_min: [
    ...settings.remind_before_min.filter((one) => one !== minutes),
    ...(wanted ? [minutes] : []),
  ].sort((a, b) => b - a),
});

/** Hours after which what is unread is mailed; null: never. */
export const DIGESTS = [null, 1, 4, 8, 24] as const;
export const QUIET = { from: '22:00', to: '08:00' };
