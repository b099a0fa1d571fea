/** From strokes to actions, sequences like `G B` included: the first stroke waits a moment for the second. */
import type { Action } from '../actions/action';

/** Slow enough for who looks for the second key, quick enough not to surprise. */
const WINDOW_MS = 1_500;

export type Outcome = { action: Action } | 'waiting' | null;

export class Sequence {
  /** What was pressed and waits for more, e.g. `G`. */
  waiting = $state<string | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** What these strokes mean among the actions possible now; `waiting` when they begin a sequence. */
  press(strokes: readonly string[], actions: readonly Action[]): Outcome {
    const begun = this.waiting;
    this.cancel();
    if (begun) {
      const action = find(
        actions,
        strokes.map((stroke) => `${begun} ${stroke}`),
      );
      if (action) return { action };
    }
    const action = find(actions, strokes);
    if (action) return { action };
    const first = strokes.find((stroke) =>
      actions.some(({ keys }) => keys.some((key) => key.startsWith(`${stroke} `))),
    );
    if (first === undefined) return null;
    this.waiting = first;
    this.#timer = setTimeout(() => this.cancel(), WINDOW_MS);
    return 'waiting';
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.waiting = null;
  }
}

function find(actions: readonly Action[], keys: readonly string[]): Action | undefined {
  return actions.find((action) => action.keys.some((key) => keys.includes(key)));
}
