/** Runs `work` in a task of its own once what was just drawn is on the screen; in a hidden tab, once it is shown. */
export function onceShown(work: () => void): void {
  requestAnimationFrame(() => setTimeout(work));
}
