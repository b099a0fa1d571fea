/** One visit to the connection doctor: the findings as they come in. */

import type { SocketProbe } from '../server/socket-probe';
import {
  CHECKS,
  type CheckName,
  checkBrowser,
  checkEchoes,
  checkIdle,
  checkNotifications,
  checkServer,
  checkStorage,
  checkUpgrade,
  type Finding,
  type Surroundings,
} from './diagnostics';

/** A check that could not be made, because one before it failed. */
const SKIPPED: Finding = { verdict: 'warning', code: 'skipped' };

export class Doctor {
  findings = $state.raw<Partial<Record<CheckName, Finding>>>({});
  /** How far the long check is, 0 to 1. */
  progress = $state(0);
  running = $state(false);

  readonly done = $derived(CHECKS.every((name) => this.findings[name]));

  readonly #surroundings: Surroundings;
  #probe: SocketProbe | null = null;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  async examine(): Promise<void> {
    if (this.running) return;
    this.findings = {};
    this.progress = 0;
    this.running = true;
    const around = this.#surroundings;
    this.#found('browser', checkBrowser(around));
    this.#found('notifications', checkNotifications(around));
    try {
      await Promise.all([
        checkServer(around).then((finding) => this.#found('server', finding)),
        checkStorage(around).then((finding) => this.#found('storage', finding)),
        this.#examineSocket(),
      ]);
    } finally {
      this.close();
      this.running = false;
    }
  }

  close(): void {
    this.#probe?.close();
    this.#probe = null;
  }

  async #examineSocket(): Promise<void> {
    const [upgrade, probe] = await checkUpgrade(this.#surroundings);
    this.#found('upgrade', upgrade);
    if (!probe) {
      for (const name of ['round_trip', 'clock', 'idle'] as const) this.#found(name, SKIPPED);
      return;
    }
    this.#probe = probe;
    const [roundTrip, clock] = await checkEchoes(probe);
    this.#found('round_trip', roundTrip);
    this.#found('clock', clock);
    const idle = await checkIdle(probe, this.#surroundings, (share) => {
      this.progress = share;
    });
    this.#found('idle', idle);
  }

  #found(name: CheckName, finding: Finding): void {
    this.findings = { ...this.findings, [name]: finding };
  }
}
