/**
 * Where a card goes that is dropped among those one sees, in a column that also has others: hidden by a filter, or
 * changed by somebody else meanwhile. Pure functions; the server puts it next to the neighbour that is named.
 */
import type { Card, Id, Placement } from '../types';

/** The cards around a gap, the nearest first. */
export interface Gap {
  status: string;
  above: readonly Id[];
  below: readonly Id[];
}

/** The gap in front of `before` (null: at the end) of the cards shown, which may include the dropped ones. */
export function gapBefore(status: string, shown: readonly Card[], before: Id | null, moving: ReadonlySet<Id>): Gap {
  const found = before === null ? -1 : shown.findIndex(({ id }) => id === before);
  const at = found < 0 ? shown.length : found;
  const ids = (cards: readonly Card[]) => cards.map(({ id }) => id).filter((id) => !moving.has(id));
  return { status, above: ids(shown.slice(0, at)).reverse(), below: ids(shown.slice(at)) };
}

/**
 * Names the neighbour that is still there: the next below, else the nearest above, else the nearest below.
 *
 * @param whole all cards of the column as they are now
 */
export function placementIn(gap: Gap, whole: readonly Card[], moving: ReadonlySet<Id>): Placement {
  const { status } = gap;
  const here = new Set(whole.map(({ id }) => id));
  const [next] = gap.below;
  if (next !== undefined && here.has(next)) return { status, before_id: next };
  const above = gap.above.find((id) => here.has(id));
  const others = whole.filter(({ id }) => !moving.has(id));
  // Behind the last one of all is the end, also if somebody adds one there at the same time.
  if (above !== undefined) return above === others.at(-1)?.id ? { status } : { status, after_id: above };
  const below = gap.below.find((id) => here.has(id));
  return below === undefined ? { status } : { status, before_id: below };
}
