import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newClient } from './support/client.js';
import { settle } from './support/platform.js';

/** A project's log, and the end of one connection that reads it; it misbehaves as its dice say. */
class Server {
  log = { epoch: 'e0', seq: 0 };
  restores = 0;
  calm = false;
  #dice;
  #served = new Set();
  /** The seq this connection has been sent up to; null: not joined. */
  #cursor = null;

  constructor(platform, dice) {
    this.platform = platform;
    this.#dice = dice;
  }

  /** Serves what has arrived since the last time. */
  serve() {
    const { socket } = this.platform;
    if (!socket || socket.closedWith || socket.gone) return;
    if (!this.#served.has(socket)) {
      this.#served.add(socket);
      this.#cursor = null;
      socket.welcome();
    }
    for (const message of socket.sent.splice(0)) if (message.type === 'join_project') this.#join(message);
    this.#flush();
  }

  commit() {
    this.log.seq++;
  }

  restore() {
    this.log = { epoch: `e${++this.restores}`, seq: Math.floor(this.log.seq / 2) };
    if (this.#cursor !== null) this.resync();
  }

  resync() {
    if (this.#cursor === null) return;
    this.#cursor = this.log.seq;
    this.#send({ type: 'resync', project_id: 'P', data: { ...this.log } }, { certainly: true });
  }

  ping() {
    const heads = this.#cursor === null ? {} : { P: this.log.seq };
    this.#send({ type: 'ping', data: { heads } }, { certainly: true });
  }

  drop() {
    const { socket } = this.platform;
    if (!socket || socket.closedWith || socket.gone) return;
    socket.gone = true;
    socket.drop([1006, 1012, 4100, 4200, 4201, 4500][this.#dice(6)]);
  }

  #join({ id, since }) {
    const reason = !since
      ? 'fresh'
      : since.epoch !== this.log.epoch
        ? 'epoch_changed'
        : since.seq > this.log.seq
          ? 'position_ahead'
          : this.log.seq - since.seq > 20
            ? 'too_far'
            : null;
    const data = { ...this.log, recovered: since ? !reason : null, reason, online: [] };
    this.#cursor = reason ? this.log.seq : since.seq;
    this.#send({ id, type: 'project_joined', project_id: 'P', data }, { certainly: true });
  }

  #flush() {
    if (this.#cursor === null) return;
    while (this.#cursor < this.log.seq) {
      const seq = ++this.#cursor;
      const event = { type: 'task_updated', project_id: 'P', seq, data: { epoch: this.log.epoch } };
      this.#send(event);
      if (!this.calm && this.#dice(10) === 0) this.#send({ ...event, seq: Math.max(1, seq - this.#dice(3)) });
      if (!this.calm && this.#dice(30) === 0) return;
    }
  }

  #send(message, { certainly = false } = {}) {
    const { socket } = this.platform;
    if (!socket || socket.closedWith || socket.gone) return;
    if (!certainly && !this.calm && this.#dice(12) === 0) return;
    socket.receive(message);
  }
}

/** Throws the same dice for the same seed. */
const newDice = (seed) => {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
};

/** An application that reads boards and applies events to them, and notices whatever does not fit. */
const followBoard = (client, server, dice) => {
  const app = { board: { ...server.log }, applied: 0, wrong: [], reading: [] };
  const read = () => app.reading.push({ ...server.log });
  client.on('resync', read);
  client.on('task', ({ seq, data }) => {
    if (data.epoch !== app.board.epoch || seq !== app.board.seq + 1) app.wrong.push([app.board, seq]);
    app.board = { ...app.board, seq };
    app.applied++;
    if (dice(20) === 0) throw new Error('a handler breaks');
  });
  app.finishReading = () => {
    const board = app.reading.shift();
    if (!board) return;
    app.board = { ...board };
    client.setCursor('P', board);
  };
  return app;
};

for (let seed = 1; seed <= 100; seed++) {
  test(`through storm ${seed} every event is applied once and in order, and the board ends true`, async () => {
    const dice = newDice(seed);
    const { client, platform } = newClient({ token: () => 'jwt' });
    const server = new Server(platform, dice);
    const app = followBoard(client, server, dice);
    client.connect();
    client.joinProject('P', { since: app.board });
    const faults = [
      ...Array(8).fill(() => server.commit()),
      ...Array(6).fill(() => server.serve()),
      ...Array(3).fill(() => app.finishReading()),
      () => server.drop(),
      () => server.ping(),
      () => server.resync(),
      () => dice(4) === 0 && server.restore(),
      () => platform.wake(),
      () => platform.advance(dice(20_000)),
    ];
    for (let step = 0; step < 300; step++) {
      await faults[dice(faults.length)]();
      await settle();
    }
    server.calm = true;
    for (let step = 0; step < 40; step++) {
      if (step < 20) server.commit();
      if (client.state !== 'open') await platform.advance(15_000);
      server.serve();
      server.ping();
      app.finishReading();
      await settle();
    }
    assert.deepEqual(app.wrong, []);
    assert.deepEqual(app.board, server.log);
    assert.deepEqual(client.cursor('P'), server.log);
    assert.ok(app.applied > 0);
  });
}
