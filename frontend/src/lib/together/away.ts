/**
 * What others did while somebody was away, summed up from the log. Pure: events in, numbers and ids out.
 *
 * It counts cards rather than events: a card moved five times is one that moved. One's own doing, on another device
 * perhaps, is no news.
 */
import type { BoardEvent, Card, Id } from '../types';

export interface Missed {
  /** Cards that stand elsewhere, new ones not counted. */
  moved: number;
  /** Cards that have become one's own. */
  assigned: number;
  /** Comments written and still there. */
  comments: number;
  created: number;
  /** Cards changed in any other way. */
  changed: number;
  /** Cards deleted or archived. */
  removed: number;
  /** The cards that are still there, in the order of their last change. */
  cards: Id[];
}

/** In the order in which a summary says them. */
export const MISSED_KINDS = ['assigned', 'moved', 'created', 'changed', 'removed', 'comments'] as const;
export type MissedKind = (typeof MISSED_KINDS)[number];

/** What is known of one card, event by event. */
interface Story {
  moved?: boolean;
  assigned?: boolean;
  created?: boolean;
  changed?: boolean;
  removed?: boolean;
  mine?: boolean;
  comments: Set<unknown>;
}

const REMOVALS = new Set(['task_deleted', 'task_archived']);
const RETURNS = new Set(['task_restored', 'task_unarchived']);

/**
 * @param events the log from when they left, oldest first
 * @param before the card as they last saw it, where that is known
 */
export function summarise(
  events: readonly BoardEvent[],
  me: Id,
  before: (id: Id) => Card | undefined = () => undefined,
): Missed {
  const stories = new Map<Id, Story>();
  for (const event of events) {
    const id = event.data.task_id as Id | undefined;
    if (!id || !/^(task|comment)_/.test(event.type)) continue;
    const story = stories.get(id) ?? { mine: before(id)?.assignee_ids.includes(me) ?? false, comments: new Set() };
    tell(story, event, me);
    // At the end of the map: the last change is the newest.
    stories.delete(id);
    stories.set(id, story);
  }
  return count(stories);
}

function tell(story: Story, { type, data, user_id }: BoardEvent, me: Id): void {
  const own = user_id === me;
  const assignees = data.assignee_ids as Id[] | undefined;
  if (assignees) {
    const mine = assignees.includes(me);
    if (mine !== story.mine) story.assigned = mine && !own;
    story.mine = mine;
  }
  if (type === 'comment_added' && !own) story.comments.add(data.comment_id);
  else if (type === 'comment_deleted') story.comments.delete(data.comment_id);
  if (own) return;
  if (type === 'task_created') story.created = true;
  else if (type === 'task_moved') story.moved = true;
  else if (REMOVALS.has(type)) story.removed = true;
  else if (RETURNS.has(type)) Object.assign(story, { removed: false, changed: true });
  else if (type.startsWith('task_') && !story.assigned) story.changed = true;
}

function count(stories: Map<Id, Story>): Missed {
  const missed: Missed = { moved: 0, assigned: 0, comments: 0, created: 0, changed: 0, removed: 0, cards: [] };
  for (const [id, story] of stories) {
    const { created, moved, assigned, changed, removed, comments } = story;
    if (removed) {
      // A card that came and went is no news.
      if (!created) missed.removed++;
      continue;
    }
    if (created) missed.created++;
    else if (moved) missed.moved++;
    else if (changed && !assigned) missed.changed++;
    if (assigned) missed.assigned++;
    missed.comments += comments.size;
    if (created || moved || assigned || changed || comments.size > 0) missed.cards.push(id);
  }
  return missed;
}

/** Whether there is anything to say. */
export const isNews = (missed: Missed): boolean => MISSED_KINDS.some((kind) => missed[kind] > 0);
