/** A notification in words: what happened, and why one is told. */
import { dueText } from '../time/here.svelte';
import type { Notification } from '../types';
import { hasMessage, type MessageKey, t } from '../words/i18n.svelte';

/** What stands behind the name of who did it; the whole sentence where nobody did. */
export function describe(item: Notification): string {
  const { details } = item;
  const due = typeof details.due === 'string' ? dueText(details.due).text : '';
  const column = String(details.column ?? details.status ?? '');
  const role = `role.${String(details.role)}`;
  return t(knownOr(`inbox.kind_${item.kind}`, 'inbox.kind_other'), {
    count: item.count,
    due,
    column,
    role: hasMessage(role) ? t(role) : String(details.role),
  });
}

/** In one line, for a message that passes by. */
export function headline(item: Notification): string {
  const where = item.task_key ? `${item.task_key} ${item.task_title ?? ''}` : item.project_name;
  return [[item.actor_name, describe(item)].filter(Boolean).join(' '), where].join(' · ');
}

export const reason = ({ why }: Notification): string => t(knownOr(`inbox.why_${why}`, 'inbox.why_other'));

/** A newer server may name what this page has no words for. */
const knownOr = (key: string, other: MessageKey): MessageKey => (hasMessage(key) ? key : other);
