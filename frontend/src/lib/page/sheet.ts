/** Where there is little room, what opens is a sheet at the lower edge, and the way back of the device closes it. */

/** Below this width one column fills the screen: the same as in the styles. */
const NARROW = '(max-width: 599px)';

export const isNarrow = (): boolean => globalThis.matchMedia?.(NARROW).matches ?? false;

/** What browsers call the device's own way back; not all have it. */
type CloseWatcher = EventTarget & { destroy(): void };

/** Calls `leave` at the back gesture or button, instead of leaving the page. Returns what stops that. */
export function onBack(leave: () => void): () => void {
  const { CloseWatcher } = globalThis as { CloseWatcher?: new () => CloseWatcher };
  if (!CloseWatcher) return () => {};
  const watcher = new CloseWatcher();
  watcher.addEventListener('close', leave);
  return () => {
    watcher.removeEventListener('close', leave);
    watcher.destroy();
  };
}

/**
 * Makes of an element in the top layer a sheet: what is behind it dims, and takes the whole press that closes it, so that
 * no tap beside a sheet opens what lies below. The way back of the device closes it, too. Returns what ends that.
 */
export function asSheet(sheet: HTMLElement, leave: () => void): () => void {
  const shade = document.createElement('div');
  shade.className = 'shade';
  shade.setAttribute('role', 'presentation');
  shade.setAttribute('popover', 'manual');
  shade.addEventListener('pointerdown', (event) => event.stopPropagation());
  shade.addEventListener('click', (event) => {
    event.stopPropagation();
    leave();
  });
  sheet.before(shade);
  shade.showPopover?.();
  const unwatch = onBack(leave);
  return () => {
    unwatch();
    shade.remove();
  };
}
