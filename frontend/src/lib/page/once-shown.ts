/** Runs `work` in a task of its own once what was just drawn is on the screen; in a hidden tab, once it is shown. */
export function onceShown(work: () => void): void {
  requestAnimationFrame(() => setTimeout(work));
}

/**
 * Takes step after step, each in a task of its own, once what was just drawn is on the screen: somebody who taps or types
 * meanwhile is answered in between. The last step says that nothing is left.
 */
export function bySteps(step: () => boolean): void {
  const next = () => {
    if (!step()) setTimeout(next);
  };
  onceShown(next);
}

/** How long what is not urgent waits for a moment in which nothing else is to be done. */
const PATIENCE_MS = 100;

/** Runs `work` when what the person waits for is done. */
export function onceIdle(work: () => void): void {
  // Not every browser says when it has nothing to do.
  if ('requestIdleCallback' in globalThis) requestIdleCallback(work, { timeout: PATIENCE_MS });
  else setTimeout(work);
}
