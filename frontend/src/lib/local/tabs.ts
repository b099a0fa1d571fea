/**
 * The tabs of one browser, one of which leads: it holds the connection and sends the outbox for all.
 *
 * Who leads is who holds a Web Lock, so a leader that is closed or crashes is followed by another at once; one that
 * the system has put to sleep is deposed by a tab that somebody looks at. Where a browser has no locks (plain http)
 * or no BroadcastChannel, every tab leads itself.
 */
import { newId } from '../ids';

/** How long a leader may leave a question unanswered before a visible tab takes over. */
const PATIENCE_MS = 3_000;

export interface Letter {
  from: string;
  /** Null: to everybody. */
  to: string | null;
  body: unknown;
}

/** What tabs need of their browser; tests pass their own. */
export interface TabWorld {
  locks: Pick<LockManager, 'request'> | null;
  channel: ((name: string) => Pick<BroadcastChannel, 'postMessage' | 'close' | 'onmessage'>) | null;
  visible: () => boolean;
}

export const browserTabs = (): TabWorld => ({
  locks: navigator.locks ?? null,
  channel: 'BroadcastChannel' in globalThis ? (name) => new BroadcastChannel(name) : null,
  visible: () => document.visibilityState === 'visible',
});

const HELLO = 'hello';
const LEADER = 'leader';

export class Tabs {
  readonly id = newId();
  leading = false;
  /** Called with what another tab has posted. */
  onLetter: (letter: Letter) => void = () => {};
  /** Called when this tab begins to lead, and when it no longer does. */
  onLead: (leading: boolean) => void = () => {};
  /** A leader has made itself known: a new one, or one that was asked. */
  onLeader: (id: string) => void = () => {};
  /** A tab that this one has heard of is gone. Told to the leader only. */
  onGone: (id: string) => void = () => {};

  readonly #name: string;
  readonly #world: TabWorld;
  readonly #channel: ReturnType<NonNullable<TabWorld['channel']>> | null;
  readonly #known = new Set<string>();
  readonly #closing = new AbortController();
  #patience: ReturnType<typeof setTimeout> | undefined;
  #release: () => void = () => {};

  /** @param name tabs of the same name belong together: one person in one browser */
  constructor(name: string, world: TabWorld = browserTabs()) {
    this.#name = name;
    this.#world = world;
    this.#channel = world.locks && world.channel ? world.channel(name) : null;
  }

  start(): void {
    if (!this.#channel) {
      this.#lead();
      return;
    }
    this.#channel.onmessage = ({ data }) => this.#hear(data as Letter);
    void this.#stand(`${this.#name}.tab.${this.id}`, () => {});
    void this.#candidate();
    this.probe();
  }

  /** No other tab has been heard of; known to the leader only. */
  get alone(): boolean {
    return this.leading && this.#known.size === 0;
  }

  post(body: unknown, to: string | null = null): void {
    if (!this.#closing.signal.aborted) this.#channel?.postMessage({ from: this.id, to, body } satisfies Letter);
  }

  /** Makes sure that somebody leads; called when this tab is looked at or needs something. */
  probe(): void {
    if (this.leading || !this.#channel || !this.#world.visible()) return;
    this.post(HELLO);
    this.#patience ??= setTimeout(() => {
      this.#patience = undefined;
      if (!this.leading) void this.#candidate({ steal: true });
    }, PATIENCE_MS);
  }

  close(): void {
    clearTimeout(this.#patience);
    this.#closing.abort();
    this.#release();
    this.leading = false;
    this.#channel?.close();
  }

  #hear(letter: Letter): void {
    if (letter.to !== null && letter.to !== this.id) return;
    if (letter.body === LEADER) {
      clearTimeout(this.#patience);
      this.#patience = undefined;
      this.onLeader(letter.from);
      return;
    }
    if (this.leading) this.#meet(letter.from);
    if (letter.body !== HELLO) this.onLetter(letter);
    else if (this.leading) this.post(LEADER, letter.from);
  }

  /** Waits to lead; with `steal` leads at once, in place of one that does not answer. */
  async #candidate({ steal = false } = {}): Promise<void> {
    const term = () =>
      new Promise<void>((resolve) => {
        this.#release = resolve;
        this.#lead();
      });
    await this.#stand(`${this.#name}.leader`, term, steal);
    if (!this.leading || this.#closing.signal.aborted) return;
    // The lock was taken from us while we slept.
    this.leading = false;
    this.#known.clear();
    this.onLead(false);
    void this.#candidate();
  }

  async #stand(lock: string, held: () => void | Promise<void>, steal = false): Promise<void> {
    // A lock that is to be stolen cannot be waited for.
    const options = steal ? { steal } : { signal: this.#closing.signal };
    const forever = new Promise<void>((resolve) => this.#closing.signal.addEventListener('abort', () => resolve()));
    await this.#world.locks?.request(lock, options, async () => (await held()) ?? forever).catch(() => {});
  }

  #lead(): void {
    if (this.#closing.signal.aborted) return;
    clearTimeout(this.#patience);
    this.#patience = undefined;
    this.leading = true;
    this.onLead(true);
    this.post(LEADER);
    this.onLeader(this.id);
  }

  /** A tab's own lock comes free when it is gone, however it went. */
  #meet(id: string): void {
    if (this.#known.has(id)) return;
    this.#known.add(id);
    this.#world.locks
      ?.request(`${this.#name}.tab.${id}`, { signal: this.#closing.signal }, () => {
        this.#known.delete(id);
        if (this.leading) this.onGone(id);
      })
      .catch(() => {});
  }
}
