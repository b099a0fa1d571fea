/** The small parts of a board store: what it is given, what it tells, how it groups its cards. */
import type { Change } from './changes';
import type { Endpoints } from './endpoints';
import type { Live } from './live';
import type { VersionConflict } from './merge';
import type { Board, BoardEvent, Card, Id } from './types';

export type BoardPhase = 'loading' | 'ready' | 'missing' | 'left' | 'failed';

export interface Conflict extends VersionConflict {
  change: Change & { kind: 'patch' };
}

export interface Surroundings {
  rest: Endpoints;
  live: Live;
  user: Id | null;
  /** A change that was not made, conflicts included. Text it carried is the receiver's to keep. */
  onRefused: (change: Change, error: unknown, card: Card | undefined) => void;
  /** Runs `draw` soon, many calls in one frame; tests run it at once. */
  soon?: ((draw: () => void) => void) | undefined;
}

/** Calls `listener` with every event of the log, and with null after the board was read anew. */
export type Listener = (event: BoardEvent | null) => void;

/** The cards of each column, in order. */
export function byColumn(board: Board | null): Map<string, Card[]> {
  const groups = new Map<string, Card[]>(board?.columns.map((column) => [column.key, []]));
  for (const card of board?.tasks ?? []) groups.get(card.status)?.push(card);
  return groups;
}
