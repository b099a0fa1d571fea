/** Text of a change the server refused goes back to where it was typed: nobody loses what they wrote. */
import type { Change } from '../board/changes';
import type { Id } from '../types';
import { draftOf } from './drafts.svelte';

const join = (...parts: string[]) => parts.filter(Boolean).join('\n');

export function keepText(user: Id | null, project: Id, change: Change): void {
  if (change.kind === 'create') {
    const draft = draftOf(user, 'card', project, change.task.status);
    draft.text = join(change.task.title, draft.text);
  } else if (change.kind === 'comment') {
    const draft = draftOf(user, 'comment', change.task_id);
    draft.text = join(change.body, draft.text);
  } else if (change.kind === 'comment-edit') {
    draftOf(user, 'comment-edit', change.comment_id).restore(change.body, undefined);
  } else if (change.kind === 'patch') {
    const { title, description } = change.fields;
    if (title !== undefined) draftOf(user, 'title', change.task_id).restore(title, change.seen);
    if (description !== undefined) draftOf(user, 'description', change.task_id).restore(description, change.seen);
  }
}

/** The person has decided: the text that lost is not offered again. */
export function dropText(user: Id | null, change: Change): void {
  if (change.kind !== 'patch') return;
  if (change.fields.title !== undefined) draftOf(user, 'title', change.task_id).clear();
  if (change.fields.description !== undefined) draftOf(user, 'description', change.task_id).clear();
}
