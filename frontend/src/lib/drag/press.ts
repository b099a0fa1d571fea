/**
 * A press that becomes a drag: with a mouse or a pen by moving, with a finger by resting. Knows pointers, not what is
 * dragged. While something is held the page neither scrolls nor selects, Escape and a lost window let go of it, and the
 * click that ends the drag opens nothing.
 */
import type { Point } from './drag-geometry';

/** A press that moves less is a click. */
const CLICK_PX = 5;
/** A finger that rests this long lifts; before that it scrolls. */
const LONG_PRESS_MS = 350;
const LONG_PRESS_PX = 8;

export interface Handlers {
  /** The element a press there would take, or null. */
  take: (target: Element) => HTMLElement | null;
  /** Takes it; false if that is impossible now. `start` is where it was pressed. */
  lift: (element: HTMLElement, start: Point) => boolean;
  /** Once a frame while it is held. */
  frame: (at: Point) => void;
  drop: () => void;
  /** After a drop or without one. */
  end: () => void;
}

type Listener = [string, (event: never) => void, AddEventListenerOptions?];

export class Press {
  readonly #handlers: Handlers;
  #root: HTMLElement | null = null;
  #pointer = -1;
  #element: HTMLElement | null = null;
  #start: Point = { x: 0, y: 0 };
  #at: Point = { x: 0, y: 0 };
  #held = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #frame = 0;

  constructor(handlers: Handlers) {
    this.#handlers = handlers;
  }

  /** Listens on the element that holds all that can be dragged. Returns what ends it. */
  listen(root: HTMLElement): () => void {
    this.#root = root;
    const listeners: Listener[] = [
      ['pointerdown', this.#down],
      ['pointermove', this.#move],
      ['pointerup', this.#up],
      ['pointercancel', this.#cancel],
      ['lostpointercapture', this.#cancel],
      // Only a listener that is not passive can keep the page from scrolling under what is lifted.
      [
        'touchmove',
        (event: TouchEvent) => this.#held && event.cancelable && event.preventDefault(),
        { passive: false },
      ],
      ['contextmenu', (event: Event) => (this.#held || this.#timer !== undefined) && event.preventDefault()],
    ];
    for (const [type, listener, options] of listeners) root.addEventListener(type, listener as EventListener, options);
    addEventListener('keydown', this.#key, true);
    addEventListener('blur', this.#cancel);
    return () => {
      this.#end();
      for (const [type, listener] of listeners) root.removeEventListener(type, listener as EventListener);
      removeEventListener('keydown', this.#key, true);
      removeEventListener('blur', this.#cancel);
    };
  }

  #down = (event: PointerEvent) => {
    // A second finger is no drag.
    if (!event.isPrimary) return this.#end();
    const target = event.target as Element;
    if (event.button !== 0 || target.closest('button, input, textarea, select')) return;
    const element = this.#handlers.take(target);
    if (!element) return;
    this.#pointer = event.pointerId;
    this.#element = element;
    this.#start = this.#at = { x: event.clientX, y: event.clientY };
    if (event.pointerType === 'touch') this.#timer = setTimeout(() => this.#lift(), LONG_PRESS_MS);
  };

  #move = (event: PointerEvent) => {
    if (event.pointerId !== this.#pointer) return;
    this.#at = { x: event.clientX, y: event.clientY };
    if (this.#held) return;
    const moved = Math.hypot(this.#at.x - this.#start.x, this.#at.y - this.#start.y);
    if (event.pointerType === 'touch') {
      if (moved > LONG_PRESS_PX) this.#end();
    } else if (moved > CLICK_PX) this.#lift();
  };

  #lift(): void {
    const element = this.#element;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!element?.isConnected || !this.#handlers.lift(element, this.#start)) {
      this.#end();
      return;
    }
    this.#held = true;
    try {
      this.#root?.setPointerCapture(this.#pointer);
    } catch {
      // The pointer is gone already.
      this.#end();
      return;
    }
    getSelection()?.removeAllRanges();
    navigator.vibrate?.(10);
    this.#frame = requestAnimationFrame(this.#follow);
  }

  #follow = () => {
    if (!this.#held) return;
    this.#handlers.frame(this.#at);
    this.#frame = requestAnimationFrame(this.#follow);
  };

  #up = (event: PointerEvent) => {
    if (event.pointerId !== this.#pointer) return;
    if (this.#held) {
      swallowClick();
      // Where the pointer is now, not where the last frame saw it.
      this.#handlers.frame({ x: event.clientX, y: event.clientY });
      this.#handlers.drop();
    }
    this.#end();
  };

  #cancel = (event: Event) => {
    if (event instanceof PointerEvent && event.pointerId !== this.#pointer) return;
    this.#end();
  };

  #key = (event: KeyboardEvent) => {
    if (!this.#held || event.key !== 'Escape') return;
    event.preventDefault();
    event.stopPropagation();
    swallowClick();
    this.#end();
  };

  #end(): void {
    clearTimeout(this.#timer);
    cancelAnimationFrame(this.#frame);
    this.#timer = undefined;
    this.#pointer = -1;
    this.#element = null;
    const held = this.#held;
    this.#held = false;
    if (held) this.#handlers.end();
  }
}

function swallowClick(): void {
  const swallow = (event: Event) => {
    event.preventDefault();
    event.stopPropagation();
  };
  addEventListener('click', swallow, { capture: true, once: true });
  setTimeout(() => removeEventListener('click', swallow, { capture: true }), 50);
}
