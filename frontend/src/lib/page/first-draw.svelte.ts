/**
 * Whether what somebody came for is on the screen. Everything else waits for it: what keeps the inbox, and the page that
 * lies unseen behind a task.
 */
import { onceIdle, onceShown } from './once-shown';

/** Where nothing says that it is there, the rest comes after so long. */
const PATIENCE_MS = 3_000;

export class FirstDraw {
  #done = $state(false);

  get done(): boolean {
    return this.#done;
  }

  /** From the beginning of the page on. */
  start(): void {
    setTimeout(this.#finish, PATIENCE_MS);
  }

  /** What somebody came for has just been drawn. */
  drawn = (): void => {
    if (!this.#done) onceShown(() => onceIdle(this.#finish));
  };

  readonly #finish = () => {
    this.#done = true;
  };
}

export const firstDraw = new FirstDraw();
