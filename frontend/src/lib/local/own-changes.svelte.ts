/**
 * A person's own changes of one project, as its board shows them: on their way, refused, or in conflict.
 *
 * A change is over when the board shows it by itself, by its event or by a card as new as the server's answer. It
 * leaves the disk only when a board that shows it is there, so that a page opened without a network shows it, too.
 */
import { type Change, isSettled, type Pending, temporaryId } from '../board/changes';
import { type VersionConflict, withoutTheirs } from '../board/merge';
import { keepText } from '../task/keep-text';
import type { Board, BoardEvent, Id, TaskPatch } from '../types';
import { type Entry, idMade, type Outbox, opOf, type Position } from './outbox';

export type Mark = 'pending' | 'failed' | 'conflict';

export interface Conflict extends VersionConflict {
  change: Change & { kind: 'patch' };
}

/** The card a change is about, by the name it has on the board. */
export const cardOf = (change: Change): Id => ('task_id' in change ? change.task_id : temporaryId(change.op_id));

export class OwnChanges {
  /** On their way, drawn over the board. */
  pending = $state.raw<readonly Pending[]>([]);
  /** Refused, with the reason in `problem`; they wait for `retry` or `discard`. */
  failed = $state.raw<readonly Entry[]>([]);
  /** When the server is asked again, where it wants to be left alone until then. Milliseconds since 1970. */
  again = $state<number | null>(null);
  conflicts = $state.raw<readonly Conflict[]>([]);
  /** How each card with changes that are not done is to be marked. */
  readonly marks: ReadonlyMap<Id, Mark> = $derived.by(() => this.#marks());

  readonly #project: Id;
  readonly #user: Id | null;
  readonly #outbox: Outbox | null;
  /** Changes the board shows by itself, though the board on the disk may not yet. */
  readonly #shown = new Set<string>();
  #entries: Entry[] = [];

  constructor(project: Id, user: Id | null, outbox: Outbox | null) {
    this.#project = project;
    this.#user = user;
    this.#outbox = outbox;
    this.#collect();
  }

  /** Calls `changed` with the changes of this project about which something is new. */
  follow(changed: (entries: readonly Entry[]) => void): () => void {
    const stop = this.#outbox?.follow((entries) => {
      const mine = entries.filter(({ project }) => project === this.#project);
      if (mine.length === 0) return;
      this.#collect();
      changed(mine);
    });
    return stop ?? (() => {});
  }

  /** What is drawn over the board: changes on their way, and cards that could not be made. */
  get drawn(): Pending[] {
    return this.#entries
      .filter(({ state, change }) => inFlight(state) || (state === 'failed' && change.kind === 'create'))
      .map(toPending);
  }

  add(change: Change, board: Board): void {
    this.#outbox?.add(this.#project, change, positionOf(board));
  }

  /** Sends a refused change once more; one of which nobody can tell whether it was made, as if it was made now. */
  retry(op: string, board: Board): void {
    const isUnknown = this.#outbox?.get(op)?.problem?.status === 410;
    this.#outbox?.retry(op, isUnknown ? { tried: undefined, from: positionOf(board) } : {});
  }

  /** Takes a change back that was not sent yet; false where it may have been made. */
  cancel(op: string): boolean {
    return this.#outbox?.cancel(op) ?? false;
  }

  /** Gives a change up; what was written goes back to where it was typed. */
  discard(op: string): void {
    for (const { change } of this.#outbox?.discard(op) ?? []) keepText(this.#user, this.#project, change);
  }

  /** Gives every change up, when the project is closed to this person. */
  discardAll(): void {
    for (const { change } of this.#entries) this.discard(change.op_id);
  }

  /** Decides a conflict: each of its fields becomes what is `chosen`, and stays theirs where that is the same. */
  resolve({ change, theirs, current }: Conflict, chosen: TaskPatch): void {
    const fields = withoutTheirs({ ...change.fields, ...chosen }, theirs);
    if (Object.keys(fields).length === 0) this.#outbox?.discard(change.op_id);
    else this.#outbox?.retry(change.op_id, { change: { ...change, fields, seen: current.version } });
  }

  /** Accepted changes, known before the board is read: whatever was accepted by then is in it. */
  accepted(): string[] {
    return this.#entries.filter(({ state }) => state === 'accepted').map(({ change }) => change.op_id);
  }

  /** The board has got this event: if it is of one of these changes, it shows that now, and says what it made. */
  hear(event: BoardEvent): void {
    const op = opOf(event.op_id);
    if (op === undefined || !this.#outbox?.get(op)) return;
    const made = idMade(event);
    if (made) this.#outbox.rename(temporaryId(op), made);
    this.show([op]);
  }

  /** The board shows these now. */
  show(ops: Iterable<string>): void {
    let any = false;
    for (const op of ops) {
      if (!this.#outbox?.get(op)) continue;
      this.#shown.add(op);
      any = true;
    }
    if (any) this.#collect();
  }

  /** Finds the changes that the board shows by itself. */
  settle(board: Board): void {
    this.show(this.drawn.filter((item) => isSettled(board, item)).map(({ change }) => change.op_id));
  }

  /** A board that shows them is on the disk. To be asked for before the board is handed over. */
  get stored(): () => void {
    const ops = [...this.#shown];
    return () => {
      this.#outbox?.settle(ops);
      for (const op of ops) this.#shown.delete(op);
    };
  }

  #collect(): void {
    this.#entries = (this.#outbox?.of(this.#project) ?? []).filter(({ change }) => !this.#shown.has(change.op_id));
    this.pending = this.#entries.filter(({ state }) => inFlight(state)).map(toPending);
    const pauses = this.#entries.flatMap(({ state, again }) => (state === 'queued' && again) || []);
    this.again = pauses.length > 0 ? Math.max(...pauses) : null;
    this.failed = this.#entries.filter(({ state }) => state === 'failed');
    this.conflicts = this.#entries.flatMap(({ state, conflict, change }) =>
      state === 'conflict' && conflict && change.kind === 'patch' ? [{ ...conflict, change }] : [],
    );
  }

  #marks(): ReadonlyMap<Id, Mark> {
    const marks = new Map<Id, Mark>();
    for (const { change, accepted } of this.pending) if (!accepted) marks.set(cardOf(change), 'pending');
    for (const { change } of this.conflicts) marks.set(cardOf(change), 'conflict');
    for (const { change } of this.failed) marks.set(cardOf(change), 'failed');
    return marks;
  }
}

const positionOf = ({ epoch, seq }: Board): Position => ({ epoch, seq });

const inFlight = (state: Entry['state']) => state === 'queued' || state === 'accepted';

const toPending = ({ change, answer, state }: Entry): Pending => ({ change, answer, accepted: state === 'accepted' });
