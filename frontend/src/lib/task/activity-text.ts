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
      return fromTo('status', column(happening.from), column(happening.to));
    case 'priority': {
      const level = (value: string | null | undefined) => (value ? t(`priority.${value as Priority}`) : '');
      return fromTo('priority', level(happening.from), level(happening.to));
    }
    case 'due':
      return fromTo('due', happening.from === undefined ? '' : day(happening.from), day(happening.to));
    case 'title':
      return happening.from
        ? t('activity.renamed', { from: happening.from, to: happening.to ?? '' })
        : t('activity.title_now', { to: happening.to ?? '' });
    case 'assignee_ids':
      return sets(happening, 'assignees', (ids) => names(ids, (id) => store.members.get(id)?.name));
    case 'label_ids':
      return sets(happening, 'labels', (ids) => names(ids, (id) => store.labels.get(id)?.name));
    case 'checklist':
      return t('activity.checklist', { done: happening.done, count: happening.count });
    default:
      return t(`activity.${happening.what}`);
  }
}

/** Where nobody knows what was before, only what it is now. */
const fromTo = (what: 'status' | 'priority' | 'due', from: string, to: string) =>
  from ? t(`activity.${what}`, { from, to }) : t(`activity.${what}_now`, { to });

function sets(
  { added, removed, known }: Happening & { what: 'assignee_ids' | 'label_ids' },
  what: 'assignees' | 'labels',
  names: (ids: readonly Id[]) => string,
): string {
  if (!known) return added.length > 0 ? t(`activity.${what}_now`, { names: names(added) }) : t(`activity.${what}_none`);
  const parts = [];
  if (added.length > 0) parts.push(t(`activity.${what}_added`, { names: names(added) }));
  if (removed.length > 0) parts.push(t(`activity.${what}_removed`, { names: names(removed) }));
  return parts.join('; ');
}
