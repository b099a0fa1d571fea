/**
 * Cards that somebody else moved glide to their new place instead of jumping there (FLIP): where everything stood is
 * measured before the board is drawn, and played back as a transform after it. Nothing is laid out anew, scrolled or
 * focused; whoever wants less motion sees a fade.
 *
 * A card that changes its column would be cut off at the column's edge, so a picture of it glides above the board while
 * the card itself waits unseen in its place.
 */
import type { Id } from '../types';

/** More changes of others than this in one second are a storm, and nobody could follow them one by one. */
const STORM = 10;
const STORM_MS = 1_000;
const GLIDE: KeyframeAnimationOptions = { duration: 250, easing: 'cubic-bezier(0.2, 0.8, 0.2, 1)' };
/** Less than a pixel is no move. */
const LEAST_PX = 1;

/** Counts others' changes; `calm` says whether this one can still be shown by itself. */
export class Storm {
  #recent: number[] = [];

  calm(now: number): boolean {
    this.#recent = [...this.#recent.filter((at) => now - at < STORM_MS), now];
    return this.#recent.length <= STORM;
  }
}

interface Place {
  rect: DOMRect;
  list: string | undefined;
}

const cardsIn = (board: Element) => board.querySelectorAll<HTMLElement>('[data-card]');
const listOf = (card: Element) => card.closest<HTMLElement>('[data-column]')?.dataset.column;
const wantsLess = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

export class Glide {
  readonly #board: Element;
  /** Holds the pictures; above the board, unseen by assistive technology, deaf to the pointer. */
  readonly #stage: Element;
  #moved = new Set<Id>();
  #before = new Map<Id, Place>();
  #running: Animation[] = [];

  constructor(board: Element, stage: Element) {
    this.#board = board;
    this.#stage = stage;
  }

  /** Remembers where everything stands; call it before the move is drawn. */
  expect(id: Id): void {
    if (this.#moved.size === 0) {
      for (const card of cardsIn(this.#board)) {
        const name = card.dataset.card as string;
        this.#before.set(name, { rect: card.getBoundingClientRect(), list: listOf(card) });
      }
    }
    this.#moved.add(id);
  }

  /** Plays what was expected; call it when the board has been drawn. */
  play(): void {
    if (this.#moved.size === 0) return;
    const [moved, before] = [this.#moved, this.#before];
    this.#forget();
    const cards = [...cardsIn(this.#board)].map((card) => ({ card, rect: card.getBoundingClientRect() }));
    for (const { card, rect } of cards) {
      const id = card.dataset.card as string;
      const from = before.get(id);
      if (wantsLess() || !from) {
        if (moved.has(id)) this.#run(card, [{ opacity: 0.25 }, { opacity: 1 }]);
        continue;
      }
      const [x, y] = [from.rect.left - rect.left, from.rect.top - rect.top];
      if (Math.abs(x) < LEAST_PX && Math.abs(y) < LEAST_PX) continue;
      if (from.list === listOf(card)) this.#run(card, [{ translate: `${x}px ${y}px` }, { translate: 'none' }]);
      else if (moved.has(id)) this.#carry(card, rect, `translate(${x}px, ${y}px)`);
    }
  }

  /** Everything stands where it belongs at once, e.g. because somebody takes hold of a card. */
  stop(): void {
    this.#forget();
    for (const animation of this.#running.splice(0)) animation.cancel();
    this.#stage.replaceChildren();
  }

  #carry(card: HTMLElement, rect: DOMRect, from: string): void {
    const picture = card.cloneNode(true) as HTMLElement;
    picture.removeAttribute('data-card');
    for (const element of picture.querySelectorAll('[id]')) element.removeAttribute('id');
    const { left, top, width, height } = rect;
    const place = { position: 'absolute', left, top, width, height, margin: 0 };
    for (const [name, value] of Object.entries(place))
      picture.style.setProperty(name, typeof value === 'number' ? `${value}px` : value);
    this.#stage.append(picture);
    this.#run(card, [{ opacity: 0 }, { opacity: 0 }]);
    this.#run(picture, [{ transform: from }, { transform: 'none' }], () => picture.remove());
  }

  #run(element: Element, frames: Keyframe[], done = () => {}): void {
    const animation = element.animate(frames, GLIDE);
    this.#running.push(animation);
    const end = () => {
      this.#running = this.#running.filter((other) => other !== animation);
      done();
    };
    animation.finished.then(end, end);
  }

  #forget(): void {
    this.#moved = new Set();
    this.#before = new Map();
  }
}
