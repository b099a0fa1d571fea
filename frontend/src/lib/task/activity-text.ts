/** The sentences of `activity.ts` in the person's language, with the names that the board knows. */

import type { BoardStore } from '../board/board.svelte';
import { describeDue } from '../time/dates';
import type { Id, Priority } from '../types';
import { i18n, t } from '../words/i18n.svelte';
import type { Happening } from './activity';

export function sentence(happening: Happening, store: BoardStore, timeZone: string, now: Date): string {
  const column = (key: string | null | undefined) => store.columns.find((one) => one.key === key)?.name ?? key ?? '';
  const day = (due: string | null | undefined) =>
    due ? describeDue(due, i18n.language, timeZone, now).text : t('activity.no_date');
  const names = (ids: readonly Id[], name: (id: Id) => string | undefined) =>
    ids.map((id) => name(id) ?? t('activity.somebody')).join(', ');
  switch (happening.what) {
    case 'status':
      return fromTo('activity.status', column(happening.from), column(happening.to));
    case 'priority': {
      const level = (value: string | null | undefined) => (value ? t(`priority.${value as Priority}`) : '');
      return fromTo('activity.priority', level(happening.from), level(happening.to));
    }
    case 'due':
      return fromTo('activity.due', happening.from === undefined ? '' : day(happening.from), day(happening.to));
    case 'title':
      return happening.from
        ? t('activity.renamed', { from: happening.from, to: happening.to ?? '' })
        : t('activity.title_now', { to: happening.to ?? '' });
    case 'assignee_ids':
      return sets(happening, 'activity.assignees', (ids) => names(ids, (id) => store.members.get(id)?.name));
    case 'label_ids':
      return sets(happening, 'activity.labels', (ids) => names(ids, (id) => store.labels.get(id)?.name));
    case 'checklist':
      return t('activity.checklist', { done: happening.done, count: happening.count });
    default:
      return t(`activity.${happening.what}`);
  }
}

type Pair = 'activity.status' | 'activity.priority' | 'activity.due';

/** Where nobody knows what was before, only what it is now. */
const fromTo = (key: Pair, from: string, to: string) => (from ? t(key, { from, to }) : t(`${key}_now`, { to }));

function sets(
  { added, removed, known }: Happening & { what: 'assignee_ids' | 'label_ids' },
  key: 'activity.assignees' | 'activity.labels',
  names: (ids: readonly Id[]) => string,
): string {
  if (!known) return added.length > 0 ? t(`${key}_now`, { names: names(added) }) : t(`${key}_none`);
  const parts = [];
  if (added.length > 0) parts.push(t(`${key}_added`, { names: names(added) }));
  if (removed.length > 0) parts.push(t(`${key}_removed`, { names: names(removed) }));
  return parts.join('; ');
}
