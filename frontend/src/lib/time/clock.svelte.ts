/** The time on the wall, coarse: "today" and "overdue" change by themselves on a page left open. */

const TICK_MS = 30_000;

class Clock {
  now = $state.raw(new Date());

  constructor() {
    setInterval(() => {
      this.now = new Date();
    }, TICK_MS);
  }
}

export const clock = new Clock();
