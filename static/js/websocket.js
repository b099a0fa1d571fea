/**
 * Reconnecting client of a Time to DO server (MIT). Guide: docs/client.md, interface: websocket.d.ts.
 * Every event of a joined project reaches the handlers once and in order, or `resync` says why not.
 * @import { Client, Message, Options, State } from './websocket.d.ts'
 */

const PATIENCE_MS = 10_000; // with dials, late heartbeats, refusals; older connections are stable
const PROBE_MS = 3_000; // for a sign of life after waking
const BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 30_000;
const RENEW_MS = 60_000; // before the token expires
const MAX_TIMER_MS = 2 ** 31 - 1; // a longer one fires at once
const TYPING_MS = 2_000;
const MAX_HELD = 1_000; // as the server replays no more
const JOIN_BURST = 20; // rooms at once, of 40 messages allowed
const JOIN_MS = 100; // for each further one
const OWN = 'user'; // the room that tells of one's notifications

/** @type {Record<number, number>} least wait by close code */
const LEAST_MS = { 1013: 5_000, 4200: 1_000, 4201: 500, 4202: 30_000, 4203: 5_000 };

const GROUPS = {
  system: /^(error|notification|p[io]ng|welcome|authenticated|project_left|.*_joined|resync|reconnect)$/,
  user: /^(user_o.*|typing|viewing|presence)$/,
  task: /^task_/,
  comment: /^comment_/,
  project: /^(project|column|label)_/,
};

/** @param {Message} message */
const groupOf = ({ type, seq }) =>
  Object.entries(GROUPS).find(([, types]) => types.test(type))?.[0] ?? (seq ? 'project' : ''); // newer than this file

/** @param {Options} [given] @returns {Client} */
export const createClient = (given) => {
  const options = { ...given };
  const world = options.platform ?? globalThis;
  const now = () => world.performance.now();

  /** @type {State} */
  let state = 'idle';
  /** @type {WebSocket | undefined} */
  let socket;
  let dials = 0;
  let attempts = 0;
  let deadline = 0;
  let quietMs = 0;
  let ahead = 0; // the server's clock less ours
  let notBefore = 0; // the server does not want us sooner
  let expired = false;
  let lastId = 0;
  let typingAgain = 0;
  const rooms = new Map();
  const handlers = new Set();
  const requests = new Map(); // answered with null when the connection goes
  const timers = new Map();
  const said = new Set();

  /** @param {unknown} [error] */
  const complain = (text = '', error) => {
    if (!said.has(text)) world.console.error(`wsClient: ${text}`, error ?? '');
    said.add(text);
  };

  const after = (name = '', ms = 0, run = () => {}) => {
    world.clearTimeout(timers.get(name));
    timers.set(name, world.setTimeout(run, ms));
  };

  /** @param {Message} message */
  const emit = (message) => {
    const names = [message.type, groupOf(message), '*'];
    for (const [name, handler] of [...handlers]) {
      if (names.includes(name))
        (async () => handler(message))().catch((error) => complain(`"${name}" handler: ${error}`, error));
    }
  };

  /** @param {State} next */
  const enter = (next, more = {}) => {
    state = next;
    emit({ type: 'state', data: { state, ...more } });
  };

  const send = (message = {}) => {
    if (state === 'open') socket?.send(JSON.stringify(message));
  };

  /** @param {(answer: any) => void} [answered] */
  const request = (message = {}, answered = () => {}) => {
    if (state !== 'open') return answered(null);
    requests.set(++lastId, answered);
    send({ id: lastId, ...message });
  };

  /** Takes the connection for dead unless something is heard in time. */
  const watch = (ms = 0) => {
    deadline = now() + ms;
    after('watch', ms, () => (now() < deadline ? watch(deadline - now()) : lost(0, 'nothing heard')));
  };

  const reset = () => {
    dials++;
    for (const timer of timers.values()) world.clearTimeout(timer);
    timers.clear();
    if (socket) socket.onmessage = socket.onclose = null;
    socket?.close(1000);
    socket = undefined;
    for (const answered of requests.values()) answered(null);
    requests.clear();
  };

  /** @param {(token?: string | null) => void} use */
  const withToken = async (use, failed = () => {}) => {
    const present = dials;
    try {
      await null; // the caller first
      const { token } = options;
      const jwt = await (typeof token === 'function' ? token({ expired }) : token);
      if (present !== dials) return; // given up meanwhile
      expired = false;
      use(jwt);
    } catch (error) {
      complain(`look at url and token: ${error}`, error);
      if (present === dials) failed();
    }
  };

  const dial = () => {
    reset();
    watch(PATIENCE_MS);
    withToken(
      (token) => {
        const url = new URL('/api/v1/ws', options.url ?? import.meta.url);
        url.protocol = url.protocol.replace('http', 'ws');
        socket = new world.WebSocket(url, token ? ['timetodo.v1', `bearer.${token}`] : ['timetodo.v1']);
        socket.onmessage = ({ data }) => receive(data);
        socket.onclose = ({ code, reason }) => lost(code, reason);
        socket.onerror = () => {};
      },
      () => lost(),
    );
    enter('connecting');
  };

  const lost = (code = 0, reason = '') => {
    const kind = Math.floor(code / 100);
    const renewable = code === 4419 && typeof options.token === 'function';
    if (kind === 44 && !renewable) return stop(code, reason);
    if (state !== 'open')
      complain(`no connection (${code} ${reason}); is the server up, does the proxy pass WebSockets?`);
    reset();
    expired ||= renewable;
    const atOnce = !attempts && (renewable || kind === 41);
    const most = Math.min(MAX_BACKOFF_MS, BACKOFF_MS * 2 ** attempts++);
    notBefore = Math.max(notBefore, now() + (LEAST_MS[code] ?? 0));
    const wait = notBefore - now() + (atOnce ? 0 : world.Math.random() * most);
    after('dial', wait, dial);
    enter('waiting', { code, reason, retry_in_ms: wait });
  };

  const stop = (code = 0, reason = '') => {
    reset();
    for (const room of rooms.values()) if (code === 4410 || room.waiting.length) room.forget(reason, code);
    if (code !== 1000) complain(`stopped (${code} ${reason}); sign in or solve it, then connect()`);
    enter('closed', { code, reason });
  };

  const wake = () => {
    if (state === 'idle' && options.autoconnect) dial();
    if (world.document?.visibilityState === 'hidden') return;
    if (state === 'waiting') after('dial', notBefore - now(), dial);
    if (state !== 'open') return;
    send({ type: 'ping' });
    watch(PROBE_MS);
  };

  const renew = () => {
    expired = true;
    withToken(
      (token) => request({ type: 'authenticate', token }),
      () => after('renew', PATIENCE_MS, renew),
    );
  };

  const receive = (text = '') => {
    try {
      const message = JSON.parse(text);
      message.data ??= {};
      deadline = now() + quietMs;
      handle(message);
    } catch {
      complain('ignored a message that makes no sense.');
    }
  };

  /** @param {Message} message */
  const handle = (message) => {
    const { type, id, seq, data } = message;
    const room = rooms.get(message.project_id ?? OWN);
    const group = groupOf(message);
    if (group === 'user') return room?.present(message);
    if (group !== 'system') return Number.isInteger(seq) ? room?.apply(message) : complain(`ignored "${type}".`);
    if (type === 'resync') return room?.resync(data, 'too_far');
    if (type === 'notification') return room?.apply(message);
    const answered = requests.get(id);
    requests.delete(id);
    if (type === 'project_left' && !answered) room?.forget('access lost', data.reason);
    if (type === 'error' && !answered) complain(`the server says ${data.code}: ${data.message}`);
    if (type === 'reconnect') notBefore = now() + (data.after_ms ?? 0);
    if (data.server_time) ahead = Date.parse(data.server_time) - now();
    if (type === 'welcome') welcome(data.heartbeat_s);
    const left = Date.parse(data.token_expires_at) - ahead - now();
    if (left) after('renew', Math.min(Math.max(left - RENEW_MS, PATIENCE_MS), MAX_TIMER_MS), renew);
    emit(message);
    answered?.(message);
    if (type !== 'ping') return;
    send({ type: 'pong' });
    for (const id in data.heads) rooms.get(id)?.hear(data.heads[id]);
  };

  const welcome = (beat_s = 25) => {
    said.clear();
    quietMs = beat_s * 1000 + PATIENCE_MS;
    watch(quietMs);
    after('stable', PATIENCE_MS, () => (attempts = 0));
    state = 'open';
    let wait = -JOIN_BURST * JOIN_MS;
    for (const [id, room] of rooms) {
      wait += JOIN_MS;
      if (wait > 0) after(id, wait, room.join);
      else room.join();
    }
    enter('open');
  };

  /** A followed log, of a project or one's own: a cursor in it. */
  const newRoom = (key = '') => {
    const project_id = key === OWN ? undefined : key;
    const what = project_id ? `project ${key}` : key;
    let cursor = { epoch: '', seq: -1 }; // of the last event handed on
    /** @type {any[] | null} events that wait for setCursor */
    let held = null;
    let head = 0; // the highest seq heard of
    let asked = -1; // from where a gap was last asked for
    let joining = 0; // which join is under way
    let refused = 0; // times in a row
    let viewed = '';
    const online = new Map();
    /** @type {any[]} */
    const waiting = [];

    const at = () => (held || cursor.seq < 0 ? undefined : { ...cursor });

    const join = () => {
      const mine = ++lastId;
      joining = mine;
      request({ type: project_id ? 'join_project' : 'join_user', project_id, since: at() }, (answer) => {
        if (joining !== mine) return;
        joining = 0;
        if (!answer) return;
        const { type, data } = answer;
        if (type !== 'error') return accepted(data);
        if (data.retryable || data.code === 'token_expired') {
          joining = -1;
          const most = Math.min(MAX_BACKOFF_MS, PATIENCE_MS * 2 ** refused++);
          return after(key, data.retry_after_ms || (most * (1 + world.Math.random())) / 2, join);
        }
        forget(data.message, data.code);
        emit({ type: 'project_left', project_id, data: { reason: data.code } });
      });
    };

    /** @param {any} data */
    const accepted = (data) => {
      head = data.seq;
      refused = 0;
      if (viewed) view(viewed);
      if (project_id) present({ type: 'presence', data });
      if (cursor.seq < 0) cursor = { epoch: data.epoch, seq: head };
      else if (!data.recovered) resync(data, data.reason);
      for (const [resolve] of waiting.splice(0)) resolve(data);
    };

    /** @param {unknown} [code] */
    const forget = (text = '', code) => {
      rooms.delete(key);
      joining = 0;
      after(key); // in place of a join
      for (const [, reject] of waiting) reject(Object.assign(new Error(`${what}: ${text}`), { code }));
    };

    /** @param {any} event */
    const apply = (event) => {
      const { seq } = event;
      const last = cursor;
      if (seq > head) head = seq;
      if (held) {
        if (held.push(event) > MAX_HELD) held = [event]; // setCursor will ask again
      } else if (seq === last.seq + 1) {
        emit(event);
        last.seq = seq; // only now, and not a cursor that a handler has set
      } else if (seq > last.seq && asked === last.seq && !joining) resync({ ...last, seq: head }, 'gap');
      else hear(seq);
    };

    /** The log has got to `seq`. */
    const hear = (seq = 0) => {
      if (seq > head) head = seq;
      if (joining) return;
      if (held) resync({ ...cursor, seq: head }, 'waiting');
      else if (cursor.seq < seq) {
        asked = cursor.seq;
        join();
      }
    };

    const resync = ({ epoch, seq } = cursor, reason = '') => {
      const heard = [...handlers].some(([name]) => name === 'resync');
      head = seq;
      cursor = { epoch, seq };
      held = heard ? [] : null; // nobody will set the cursor: on from the head
      if (!heard) complain(`missed changes of ${what} (${reason}), handle "resync".`);
      emit({ type: 'resync', project_id, data: { epoch, seq, reason } });
    };

    /** @param {Message} message */
    const present = (message) => {
      const { type, user_id, data } = message;
      const user = online.get(user_id);
      if (data.online) online.clear();
      for (const one of data.online ?? []) online.set(one.user_id, one);
      if (type === 'user_online') online.set(user_id, { ...user, ...data, user_id });
      if (type === 'user_offline') online.delete(user_id);
      if (type === 'viewing' && user) online.set(user_id, { ...user, viewing: data.task_id });
      if (type !== 'presence') emit(message);
      if (type !== 'typing') emit({ type: 'presence', project_id, data: { online: [...online.values()] } });
    };

    const view = (task_id = '') => {
      viewed = task_id;
      if (!joining) send({ type: 'viewing', project_id, task_id: task_id || null });
    };

    const resume = (to = cursor) => {
      const events = held ?? [];
      const same = to.epoch === cursor.epoch && !joining;
      cursor = { epoch: to.epoch, seq: to.seq };
      held = null;
      if (same) events.forEach(apply);
      if (!same || (!joining && cursor.seq < head)) join();
    };

    /** @param {any} since */
    const follow = (since) => {
      const promise = new Promise((...settle) => waiting.push(settle));
      promise.catch(() => {}); // nobody has to look
      if (since) resume(since);
      if (!joining) join();
      return promise;
    };

    return { waiting, online, at, join, forget, apply, hear, resync, present, view, resume, follow };
  };

  /** @param {any} since */
  const follow = (key = '', since) => {
    if (!rooms.has(key)) rooms.set(key, newRoom(key));
    return rooms.get(key).follow(since);
  };

  for (const name of ['DOMContentLoaded', 'online', 'pageshow', 'visibilitychange'])
    world.addEventListener?.(name, wake);

  return {
    get state() {
      return state;
    },
    connect(more) {
      Object.assign(options, more);
      if (state !== 'open' && state !== 'connecting') dial();
    },
    configure: (more) => void Object.assign(options, more),
    disconnect: () => stop(1000, 'disconnected'),
    joinProject: (id, { since } = {}) => follow(id, since),
    joinUser: ({ since } = {}) => follow(OWN, since),
    leaveProject(id) {
      rooms.get(id)?.forget('left');
      request({ type: 'leave_project', project_id: id });
    },
    cursor: (id) => rooms.get(id)?.at() ?? null,
    setCursor: (id, cursor) => rooms.get(id)?.resume(cursor),
    on(...entry) {
      handlers.add(entry);
      return () => handlers.delete(entry);
    },
    presence: (id) => [...(rooms.get(id)?.online.values() ?? [])],
    typing(project_id, task_id, field) {
      if (now() < typingAgain) return;
      typingAgain = now() + TYPING_MS;
      send({ type: 'typing', project_id, task_id, field });
    },
    viewing: (id, taskId) => rooms.get(id)?.view(taskId ?? ''),
    ping() {
      const sent = now();
      return new Promise((resolve, reject) => {
        request({ type: 'ping' }, (pong) => (pong ? resolve(now() - sent) : reject(new Error('not connected'))));
      });
    },
  };
};

const { document } = globalThis;

/** Connects with the page, unless that says data-autoconnect="off". */
export const wsClient = createClient({ autoconnect: document && !document.querySelector('[data-autoconnect=off]') });

if (document) Object.assign(globalThis, { wsClient }); // for classic scripts
