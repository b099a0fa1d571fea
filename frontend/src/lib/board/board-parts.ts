/** The small parts of a board store: what it is given, what it tells, how it groups its cards. */

import type { DeviceParts } from '../local/device';
import type { Endpoints } from '../server/endpoints';
import { ApiError } from '../server/errors';
import type { Live } from '../server/live';
import type { Board, BoardEvent, Card, Id } from '../types';

export type BoardPhase = 'loading' | 'ready' | 'missing' | 'left' | 'failed';

export interface Surroundings {
  rest: Endpoints;
  live: Live;
  user: Id | null;
  /** What this device keeps for the person. */
  device: DeviceParts;
  /** Runs `draw` soon, many calls in one frame; tests run it at once. */
  soon?: ((draw: () => void) => void) | undefined;
}

/** Why a room was left for good: its copy may not stay. */
export const PURGED_BY: ReadonlySet<unknown> = new Set(['revoked', 'deleted', 'not_found', 'forbidden']);

/** What stands in the address is no id, so there is no such board. */
export const isNoId = (error: unknown): boolean => error instanceof ApiError && error.status === 422;

/** The server says that this project is not for this person. */
export const isClosedTo = (error: unknown): boolean =>
  error instanceof ApiError && [401, 403, 404].includes(error.status);

export const needsSignIn = (error: unknown): boolean => error instanceof ApiError && error.status === 401;

/** Calls `listener` with every event of the log, and with null after the board was read anew. */
export type Listener = (event: BoardEvent | null) => void;

/** The cards of each column, in order. */
export function byColumn(board: Board | null): Map<string, Card[]> {
  const groups = new Map<string, Card[]>(board?.columns.map((column) => [column.key, []]));
  for (const card of board?.tasks ?? []) groups.get(card.status)?.push(card);
  return groups;
}
