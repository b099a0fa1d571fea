import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Letter, Tabs, type TabWorld } from '../src/lib/local/tabs';

/** Longer than a tab waits for a leader that does not answer. */
const PATIENCE_MS = 3_100;

/** The locks of one browser: one holder each, the others in a line; who steals puts the holder out. */
class Locks {
  readonly #held = new Map<string, () => void>();
  readonly #line = new Map<string, Array<() => void>>();

  readonly request = (name: string, options: LockOptions, held: () => Promise<void>): Promise<void> =>
    new Promise((resolve, reject) => {
      const next = () => {
        this.#held.delete(name);
        this.#line.get(name)?.shift()?.();
      };
      const hold = () => {
        if (options.signal?.aborted) return next();
        let put_out = false;
        this.#held.set(name, () => {
          put_out = true;
          reject(new DOMException('stolen', 'AbortError'));
        });
        void Promise.resolve(held()).then(() => {
          if (put_out) return;
          resolve();
          next();
        });
      };
      if (options.steal) this.#held.get(name)?.();
      if (options.steal || !this.#held.has(name)) hold();
      else this.#line.set(name, [...(this.#line.get(name) ?? []), hold]);
    });
}

type Channel = ReturnType<NonNullable<TabWorld['channel']>>;

/** One browser with its tabs; a frozen one hears nothing and says nothing. */
class Browser {
  readonly locks = new Locks() as unknown as LockManager;
  readonly frozen = new Set<Channel>();
  readonly #channels = new Set<Channel>();

  open({ visible = true, locks = true } = {}) {
    let own: Channel | undefined;
    const channel = (): Channel => {
      const made: Channel = { onmessage: null, close: () => this.#channels.delete(made), postMessage: () => {} };
      made.postMessage = (data) => {
        for (const other of this.#channels)
          if (other !== made && !this.frozen.has(made) && !this.frozen.has(other))
            queueMicrotask(() => other.onmessage?.call(other as BroadcastChannel, { data } as MessageEvent));
      };
      this.#channels.add(made);
      own = made;
      return made;
    };
    const world: TabWorld = { locks: locks ? this.locks : null, channel, visible: () => visible };
    const tabs = new Tabs('anna', world);
    const leads: boolean[] = [];
    const letters: Letter[] = [];
    const gone: string[] = [];
    tabs.onLead = (leading) => leads.push(leading);
    tabs.onLetter = (letter) => letters.push(letter);
    tabs.onGone = (id) => gone.push(id);
    tabs.start();
    return {
      tabs,
      leads,
      letters,
      gone,
      freeze: () => own && this.frozen.add(own),
      wake: () => own && this.frozen.delete(own),
    };
  }
}

const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('tabs of one browser', () => {
  test('have one leader, and another at once when it is closed', async () => {
    const browser = new Browser();
    const [first, second] = [browser.open(), browser.open()];
    await settle();
    expect([first.tabs.leading, second.tabs.leading]).toEqual([true, false]);
    first.tabs.close();
    await settle();
    expect(second.tabs.leading).toBe(true);
  });

  test('depose a leader that the system has put to sleep, which follows once it wakes', async () => {
    const browser = new Browser();
    const [first, second] = [browser.open(), browser.open()];
    await settle();
    first.freeze();
    second.tabs.probe();
    await vi.advanceTimersByTimeAsync(PATIENCE_MS);
    expect([first.tabs.leading, second.tabs.leading]).toEqual([false, true]);
    expect(first.leads).toEqual([true, false]);
    first.wake();
    second.tabs.close();
    await settle();
    expect(first.tabs.leading).toBe(true);
  });

  test('leave a leader alone that answers', async () => {
    const browser = new Browser();
    const [first, second] = [browser.open(), browser.open()];
    await settle();
    second.tabs.probe();
    await vi.advanceTimersByTimeAsync(PATIENCE_MS);
    expect([first.tabs.leading, second.tabs.leading]).toEqual([true, false]);
  });

  test('do not depose anybody while nobody looks at them', async () => {
    const browser = new Browser();
    const [first, second] = [browser.open(), browser.open({ visible: false })];
    await settle();
    first.freeze();
    second.tabs.probe();
    await vi.advanceTimersByTimeAsync(PATIENCE_MS);
    expect([first.tabs.leading, second.tabs.leading]).toEqual([true, false]);
  });

  test('tell the leader which of them is gone', async () => {
    const browser = new Browser();
    const [first, second] = [browser.open(), browser.open()];
    await settle();
    expect(first.tabs.alone).toBe(false);
    second.tabs.close();
    await settle();
    expect(first.gone).toEqual([second.tabs.id]);
    expect(first.tabs.alone).toBe(true);
  });

  test('without locks each lead themselves, and no letter comes', async () => {
    const browser = new Browser();
    const [first, second] = [browser.open({ locks: false }), browser.open({ locks: false })];
    first.tabs.post('hi');
    await settle();
    expect([first.tabs.leading, second.tabs.leading]).toEqual([true, true]);
    expect(second.letters).toEqual([]);
    expect(first.tabs.alone).toBe(true);
  });
});
