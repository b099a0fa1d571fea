/** A change of one's own in words, for where it could not be made. */
import type { BoardStore } from '../board/board.svelte';
import type { Change } from '../board/changes';
import { errorText } from '../server/error-text';
import { ApiError, type Problem } from '../server/errors';
import { LIMITS } from '../server/limits';
import { t } from '../words/i18n.svelte';
import type { Entry } from './outbox';

/** What it was to do, e.g. "WEB-3: title". */
export function describeChange(change: Change, store: BoardStore): string {
  if (change.kind === 'create') return t('local.change_create', { title: change.task.title });
  const card = store.card(change.task_id);
  const key = card?.key || card?.title || t('local.card_unknown');
  if (change.kind !== 'patch') return t(`local.change_${change.kind.replace('-', '_') as 'move'}`, { key });
  const fields = Object.keys(change.fields).map((field) => t(`task.${field as keyof typeof change.fields}`));
  return t('local.change_patch', { key, fields: fields.join(', ') });
}

/** What a person wrote in it, to be copied elsewhere. */
export function textOf(change: Change): string {
  if (change.kind === 'create') return change.task.title;
  if (change.kind === 'comment' || change.kind === 'comment-edit') return change.body;
  if (change.kind !== 'patch') return '';
  const { title, description } = change.fields;
  return [title, description].filter((text) => text !== undefined).join('\n\n');
}

/** Why the server would not. */
export function reasonOf({ problem, change }: Entry): string {
  const status = problem?.status ?? 0;
  if (isTooLong(problem)) return t(`limits.${longest(change)}`, { limit: LIMITS[longest(change)] });
  if (status === 404 && change.kind !== 'create') return t('error.card_gone');
  if (status === 410) return t('local.too_old');
  return errorText(new ApiError(status, problem ?? {}));
}

const isTooLong = (problem: Problem | undefined): boolean =>
  problem?.status === 413 || problem?.errors?.some(({ code }) => code === 'too_long') === true;

/** What of a change may be very long, and so was what was too long. */
function longest(change: Change): 'comment' | 'description' | 'title' {
  if (change.kind === 'comment' || change.kind === 'comment-edit') return 'comment';
  return change.kind === 'patch' && change.fields.description !== undefined ? 'description' : 'title';
}
