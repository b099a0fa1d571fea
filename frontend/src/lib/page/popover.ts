/**
 * A small layer over the page: in the top layer, gone with Escape or a press elsewhere. It stands beside what it belongs
 * to, inside the window; where one column fills the screen it is a sheet (`sheet.ts`, `styles/layers.css`).
 */

import { asSheet, isNarrow } from './sheet';

/** Distance to the edge of the window, and to what it belongs to, in pixels. */
const EDGE = 8;
const GAP = 4;

export interface PopoverOptions {
  /** What it stands beside. A press on an element is its own affair; of a place nobody knows whether it is still there. */
  beside: DOMRect | Element;
  /** Lines up with the end of that instead of its start. */
  end?: boolean;
  /** It is not wanted any longer. */
  onleave: () => void;
}

/** Where fingers type, the keys on the screen hide half a sheet: they come when they are asked for. */
const isTouched = () => globalThis.matchMedia?.('(pointer: coarse)').matches ?? false;

/** For `use:popover`; the element needs `popover="manual"`, `tabindex="-1"` and the class `layer`. */
export function popover(element: HTMLElement, { beside, end = false, onleave }: PopoverOptions) {
  const isSheet = isNarrow();
  const stop = isSheet ? asSheet(element, onleave) : hang(element, beside, onleave);
  element.showPopover?.();
  if (!isSheet) place(element, beside, end);
  focusFirst(element);
  const key = (event: KeyboardEvent) => {
    if (event.key !== 'Escape' || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    onleave();
  };
  const resize = () => {
    // The keyboard of a phone that goes away makes the window higher; a sheet stays where it is.
    if (isSheet && isNarrow()) return;
    if (isSheet || isNarrow() || !(beside instanceof Element)) onleave();
    else place(element, beside, end);
  };
  element.addEventListener('keydown', key);
  addEventListener('resize', resize);
  return {
    destroy: () => {
      stop();
      element.removeEventListener('keydown', key);
      removeEventListener('resize', resize);
    },
  };
}

/** Gone with a press elsewhere, which does what it does. */
function hang(element: HTMLElement, beside: DOMRect | Element, onleave: () => void): () => void {
  const outside = (event: Event) => {
    const target = event.target as Node;
    if (!element.contains(target) && !(beside instanceof Element && beside.contains(target))) onleave();
  };
  document.addEventListener('pointerdown', outside, true);
  return () => document.removeEventListener('pointerdown', outside, true);
}

function place(element: HTMLElement, beside: DOMRect | Element, end: boolean): void {
  const at = beside instanceof Element ? beside.getBoundingClientRect() : beside;
  const { style } = element;
  for (const name of ['top', 'bottom', 'max-height']) style.removeProperty(name);
  const { offsetWidth: width, offsetHeight: height } = element;
  const wanted = end ? at.right - width : at.left;
  style.setProperty('left', `${Math.max(EDGE, Math.min(wanted, innerWidth - EDGE - width))}px`);
  const below = at.bottom + GAP;
  if (below + height <= innerHeight - EDGE || at.top - GAP - height < EDGE) {
    const top = Math.max(EDGE, Math.min(below, innerHeight - EDGE - height));
    style.setProperty('top', `${top}px`);
    style.setProperty('max-height', `calc(100dvh - ${top + EDGE}px)`);
  } else {
    // Held at its foot: a list that gets shorter stays beside what it belongs to.
    style.setProperty('bottom', `${innerHeight - at.top + GAP}px`);
    style.setProperty('max-height', `${at.top - GAP - EDGE}px`);
  }
}

function focusFirst(element: HTMLElement): void {
  const field = element.querySelector<HTMLElement>(isTouched() ? 'textarea' : 'input, textarea, [data-first]');
  (field ?? element).focus({ preventScroll: true });
}
