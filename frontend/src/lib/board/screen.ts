/** When to draw: at once for one's own changes, once a frame for others', and not at all while somebody holds still. */

const nextFrame = (draw: () => void) => {
  // A hidden tab gets no frames, but its board goes on.
  if (document.visibilityState === 'hidden') setTimeout(draw, 50);
  else requestAnimationFrame(draw);
};

export class Screen {
  readonly #draw: () => void;
  readonly #soon: (draw: () => void) => void;
  #holds = 0;
  #waiting = false;

  /** @param soon runs its argument with the next frame; tests run it at once */
  constructor(draw: () => void, soon: (draw: () => void) => void = nextFrame) {
    this.#draw = draw;
    this.#soon = soon;
  }

  now(): void {
    if (this.#holds === 0) this.#draw();
  }

  soon(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    this.#soon(() => {
      this.#waiting = false;
      this.now();
    });
  }

  /** Keeps what is drawn until the returned function is called, which may be called twice. */
  hold(): () => void {
    this.#holds++;
    let release = () => {
      release = () => {};
      this.#holds--;
      this.now();
    };
    return () => release();
  }
}
