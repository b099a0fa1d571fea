/** A small layer beside something: in the top layer, inside the window, its field in focus, gone with a press elsewhere. */

/** Distance to the edge of the window, and to what it belongs to, in pixels. */
const EDGE = 8;
const GAP = 4;

export interface PopoverOptions {
  beside: DOMRect;
  onoutside: () => void;
}

/** For `use:popover`; the element needs `popover="manual"` and a fixed position. */
export function popover(element: HTMLElement, { beside, onoutside }: PopoverOptions) {
  element.showPopover?.();
  const place = () => {
    const { offsetWidth: width, offsetHeight: height } = element;
    const left = Math.max(EDGE, Math.min(beside.left, innerWidth - EDGE - width));
    element.style.setProperty('left', `${left}px`);
    const below = beside.bottom + GAP;
    if (below + height <= innerHeight - EDGE || beside.top - GAP - height < EDGE) {
      element.style.setProperty('top', `${Math.max(EDGE, Math.min(below, innerHeight - EDGE - height))}px`);
    } else {
      // Held at its foot: a list that gets shorter stays beside what it belongs to.
      element.style.setProperty('bottom', `${innerHeight - beside.top + GAP}px`);
    }
  };
  place();
  element.querySelector<HTMLElement>('input, textarea')?.focus();
  const outside = (event: Event) => {
    if (!element.contains(event.target as Node)) onoutside();
  };
  document.addEventListener('pointerdown', outside, true);
  addEventListener('resize', onoutside);
  return {
    destroy: () => {
      document.removeEventListener('pointerdown', outside, true);
      removeEventListener('resize', onoutside);
    },
  };
}
