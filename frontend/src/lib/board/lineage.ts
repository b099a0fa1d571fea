/**
 * Which versions of a task's fields are our own doing.
 *
 * A change says against which version it was made, and the server refuses it when somebody else has changed the same
 * field since. Two quick changes of one field by one person are not a conflict: the second was made on top of the
 * first, though the first had no version yet.
 */
import type { Id } from '../types';

interface Step {
  task: Id;
  fields: readonly string[];
  from: number;
  to: number;
}

/** Steps kept; older ones belong to versions nobody edits against any more. */
const KEPT = 200;

export class Lineage {
  readonly #steps: Step[] = [];

  /** Our change of `fields`, made against version `from`, became version `to`. */
  accepted(task: Id, fields: readonly string[], from: number | undefined, to: number): void {
    if (from === undefined || to <= from) return;
    this.#steps.push({ task, fields, from, to });
    if (this.#steps.length > KEPT) this.#steps.shift();
  }

  /** The version to compare with: `seen`, moved past our own accepted changes of the same fields. */
  follow(task: Id, fields: readonly string[], seen: number | undefined): number | undefined {
    if (seen === undefined) return undefined;
    let version = seen;
    for (const step of this.#steps) {
      const ours = step.task === task && fields.every((field) => step.fields.includes(field));
      if (ours && step.from <= version && version < step.to) version = step.to;
    }
    return version;
  }
}
