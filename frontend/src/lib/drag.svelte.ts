/**
 * Dragging a card with a mouse, a pen or a finger.
 *
 * The card itself follows the pointer, taken out of the flow, and a gap of its exact height shows where it would land;
 * nothing else changes size. It stays the same element all the while: a touch whose target leaves the page goes silent.
 * Where a drop means a change, `onDrop` makes it; this module knows no board.
 */
import { type Drop, dropAt, scrollStep } from './drag-geometry';

/** A press that moves less is a click. */
const CLICK_PX = 5;
/** A finger that rests this long lifts the card; before that it scrolls. */
const LONG_PRESS_MS = 350;
const LONG_PRESS_PX = 8;

export interface Dragging {
  id: string;
  over: Drop;
  /** Where the card was taken from. */
  from: Drop;
  width: number;
  height: number;
  x: number;
  y: number;
}

export interface DragOptions {
  canDrag: () => boolean;
  /** Freezes the layout; the function it returns thaws it. */
  hold: () => () => void;
  onDrop: (id: string, over: Drop) => void;
}

export class Drag {
  now = $state.raw<Dragging | null>(null);
  /** The card being dragged; the others need not look at `now`, which changes every frame. */
  readonly id = $derived(this.now?.id ?? null);
  /** Where the gap is; the same object until it moves. */
  readonly over = $derived(this.now?.over ?? null);
  readonly height = $derived(this.now?.height ?? 0);

  readonly #options: DragOptions;
  #board: HTMLElement | null = null;
  #pointer = -1;
  #card: HTMLElement | null = null;
  #start = { x: 0, y: 0 };
  #grip = { x: 0, y: 0 };
  #at = { x: 0, y: 0 };
  #timer: ReturnType<typeof setTimeout> | undefined;
  #frame = 0;
  #release: () => void = () => {};

  constructor(options: DragOptions) {
    this.#options = options;
  }

  /** For `use:drag.attach` on the element that scrolls sideways and holds every list. */
  attach = (board: HTMLElement) => {
    this.#board = board;
    const listeners: Array<[string, (event: never) => void, AddEventListenerOptions?]> = [
      ['pointerdown', this.#down],
      ['pointermove', this.#move],
      ['pointerup', this.#up],
      ['pointercancel', this.#cancel],
      ['lostpointercapture', this.#cancel],
      // Only a listener that is not passive can keep the page from scrolling under a lifted card.
      ['touchmove', (event: TouchEvent) => this.now && event.cancelable && event.preventDefault(), { passive: false }],
      ['contextmenu', (event: Event) => (this.now || this.#timer !== undefined) && event.preventDefault()],
    ];
    for (const [type, listener, options] of listeners) board.addEventListener(type, listener as EventListener, options);
    addEventListener('keydown', this.#key, true);
    addEventListener('blur', this.#cancel);
    return {
      destroy: () => {
        this.#end();
        for (const [type, listener] of listeners) board.removeEventListener(type, listener as EventListener);
        removeEventListener('keydown', this.#key, true);
        removeEventListener('blur', this.#cancel);
      },
    };
  };

  #down = (event: PointerEvent) => {
    if (!event.isPrimary) return this.#end();
    const target = event.target as Element;
    const card = target.closest<HTMLElement>('[data-card]');
    if (event.button !== 0 || !card || target.closest('button, input, textarea, select')) return;
    if (!this.#options.canDrag()) return;
    this.#pointer = event.pointerId;
    this.#card = card;
    this.#start = this.#at = { x: event.clientX, y: event.clientY };
    if (event.pointerType === 'touch') this.#timer = setTimeout(() => this.#lift(), LONG_PRESS_MS);
  };

  #move = (event: PointerEvent) => {
    if (event.pointerId !== this.#pointer) return;
    this.#at = { x: event.clientX, y: event.clientY };
    if (this.now) return;
    const moved = Math.hypot(this.#at.x - this.#start.x, this.#at.y - this.#start.y);
    if (event.pointerType === 'touch') {
      if (moved > LONG_PRESS_PX) this.#end();
    } else if (moved > CLICK_PX) this.#lift();
  };

  #lift(): void {
    const card = this.#card;
    const list = card?.closest<HTMLElement>('[data-column]');
    if (!card || !list || !card.isConnected) {
      this.#end();
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const rect = card.getBoundingClientRect();
    this.#grip = { x: this.#start.x - rect.left, y: this.#start.y - rect.top };
    this.#release = this.#options.hold();
    try {
      this.#board?.setPointerCapture(this.#pointer);
    } catch {
      this.#end();
      return;
    }
    const next = card.nextElementSibling?.getAttribute('data-card') ?? list.dataset.rest ?? null;
    const from = { status: list.dataset.column as string, before: next };
    const { width, height } = rect;
    this.now = { id: card.dataset.card as string, over: from, from, width, height, x: rect.left, y: rect.top };
    getSelection()?.removeAllRanges();
    navigator.vibrate?.(10);
    this.#frame = requestAnimationFrame(this.#follow);
  }

  /** Once a frame: the card under the pointer, the lists under the card. */
  #follow = () => {
    const { now } = this;
    if (!now || !this.#board) return;
    const over = dropAt(this.#board, this.#at, now.id) ?? now.over;
    const same = over.status === now.over.status && over.before === now.over.before;
    const x = this.#at.x - this.#grip.x;
    const y = this.#at.y - this.#grip.y;
    if (!same || x !== now.x || y !== now.y) this.now = { ...now, x, y, over: same ? now.over : over };
    scrollStep(this.#board, this.#at);
    this.#frame = requestAnimationFrame(this.#follow);
  };

  #up = (event: PointerEvent) => {
    if (event.pointerId !== this.#pointer) return;
    const { now } = this;
    const changed = now && (now.over.status !== now.from.status || now.over.before !== now.from.before);
    if (now) this.#swallowClick();
    if (now && changed) this.#options.onDrop(now.id, now.over);
    this.#end();
  };

  #cancel = (event: Event) => {
    if (event instanceof PointerEvent && event.pointerId !== this.#pointer) return;
    this.#end();
  };

  #key = (event: KeyboardEvent) => {
    if (!this.now || event.key !== 'Escape') return;
    event.preventDefault();
    event.stopPropagation();
    this.#swallowClick();
    this.#end();
  };

  #end(): void {
    clearTimeout(this.#timer);
    cancelAnimationFrame(this.#frame);
    this.#timer = undefined;
    this.#pointer = -1;
    this.#card = null;
    this.now = null;
    this.#release();
    this.#release = () => {};
  }

  /** The click that ends a drag opens nothing. */
  #swallowClick(): void {
    const swallow = (event: Event) => {
      event.preventDefault();
      event.stopPropagation();
    };
    addEventListener('click', swallow, { capture: true, once: true });
    setTimeout(() => removeEventListener('click', swallow, { capture: true }), 50);
  }
}
