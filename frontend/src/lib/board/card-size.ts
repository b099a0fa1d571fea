/** A guess at how high a card will be, before it was drawn once; so a scrollbar tells the truth from the start. */
import type { Card } from '../types';

/** Letters that fit in one line of a title, in a column of ordinary width. */
const LETTERS = 31;
const LINES = 3;
/** Pixels of a card's parts: padding, key and the space below; a line of the title; the row of facts. */
const FRAME = 43;
const LINE = 20;
const META = 27;

export function estimateHeight({
  title,
  priority,
  label_ids,
  due,
  checklist,
  comment_count,
  assignee_ids,
}: Card): number {
  const lines = Math.min(LINES, Math.max(1, Math.ceil(title.length / LETTERS)));
  const facts = priority !== 'none' || due !== null || checklist.length > 0 || comment_count > 0;
  const meta = facts || label_ids.length > 0 || assignee_ids.length > 0;
  return FRAME + lines * LINE + (meta ? META : 0);
}
