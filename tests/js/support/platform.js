/** What the client takes from its surroundings, in the hands of a test: a clock, sockets, a page, a console. */

/** A socket whose other end is the test. */
export class FakeSocket {
  /** @type {object[]} every message the client has sent */
  sent = [];
  /** @type {number | null} the code the client has closed it with */
  closedWith = null;

  constructor(url, protocols) {
    this.url = String(url);
    this.protocols = protocols;
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close(code) {
    this.closedWith = code;
  }

  /** The messages sent of one type, oldest first. */
  ofType(type) {
    return this.sent.filter((message) => message.type === type);
  }

  /** The server sends. */
  receive(message) {
    this.receiveText(JSON.stringify(message));
  }

  receiveText(text) {
    this.onmessage?.({ data: text });
  }

  welcome(data = {}) {
    this.receive({ type: 'welcome', data: { user: null, heartbeat_s: 25, ...data } });
  }

  /** The server answers the last join, or the last of a project. */
  answerJoin(data = {}, project_id = undefined) {
    const asked = this.ofType('join_project').filter((join) => !project_id || join.project_id === project_id);
    const { id, project_id: project } = asked.at(-1);
    this.receive({ id, type: 'project_joined', project_id: project, data: { ...JOINED, ...data } });
  }

  refuseJoin(data) {
    const { id } = this.ofType('join_project').at(-1);
    this.receive({ id, type: 'error', data: { retryable: false, retry_after_ms: null, message: 'no', ...data } });
  }

  event(seq, more = {}) {
    this.receive({ type: 'task_updated', project_id: 'P', seq, user_id: 'u', data: { task_id: 't' }, ...more });
  }

  /** The server, or the network, closes. */
  drop(code = 1006, reason = '') {
    this.onclose?.({ code, reason });
  }
}

const JOINED = { epoch: 'e', seq: 0, recovered: null, reason: 'fresh', replay: 0, role: 'editor', online: [] };

export class FakePlatform extends EventTarget {
  document = { visibilityState: 'visible' };
  /** @type {FakeSocket[]} in the order they were dialled */
  sockets = [];
  /** @type {string[]} */
  complaints = [];
  /** What Math.random answers. */
  chance = 0;
  #now = 0;
  #timers = new Set();
  /** The longest timer asked for, in ms. */
  longest = 0;

  constructor() {
    super();
    const platform = this;
    this.WebSocket = class extends FakeSocket {
      constructor(...args) {
        super(...args);
        platform.sockets.push(this);
      }
    };
    this.performance = { now: () => this.#now };
    this.Math = { random: () => this.chance };
    this.console = { error: (text) => this.complaints.push(text) };
    this.setTimeout = (run, ms) => {
      this.longest = Math.max(this.longest, ms);
      const timer = { run, at: this.#now + (ms > 0 ? ms : 0) };
      this.#timers.add(timer);
      return timer;
    };
    this.clearTimeout = (timer) => this.#timers.delete(timer);
  }

  get now() {
    return this.#now;
  }

  get socket() {
    return this.sockets.at(-1);
  }

  /** Lets time pass, timers and promises in their order. */
  async advance(ms) {
    const until = this.#now + ms;
    await settle();
    while (await this.#runNext(until));
    this.#now = until;
  }

  /** Lets time pass until the client dials. */
  async nextDial() {
    const before = this.sockets.length;
    while (this.sockets.length === before && (await this.#runNext(Number.POSITIVE_INFINITY)));
    return this.socket;
  }

  async #runNext(until) {
    const [next] = [...this.#timers].sort((a, b) => a.at - b.at);
    if (!next || next.at > until) return false;
    this.#timers.delete(next);
    this.#now = next.at;
    next.run();
    await settle();
    return true;
  }

  wake(name = 'online') {
    this.dispatchEvent(new Event(name));
  }
}

/** Lets every promise that can settle do so. */
export const settle = () => new Promise((resolve) => setImmediate(resolve));
