/** Who is writing where. A sign of it is good for some seconds; the client repeats it while somebody types. */
import { SvelteMap } from 'svelte/reactivity';
import type { Live } from './live';
import type { Id } from './types';

const SHOWN_MS = 5_000;

export class Typing {
  readonly #people = new SvelteMap<Id, { name: string; task: Id; timer: ReturnType<typeof setTimeout> }>();
  readonly #stops: Array<() => void>;

  constructor(live: Live, project: Id, me: Id | null) {
    this.#stops = [
      live.on('typing', ({ project_id, user_id, data }) => {
        const id: Id | undefined = data.user_id ?? user_id;
        if (project_id !== project || !id || id === me) return;
        this.#clear(id);
        const name = data.name ?? live.presence(project).find((person) => person.user_id === id)?.name;
        if (!name) return;
        this.#people.set(id, { name, task: data.task_id, timer: setTimeout(() => this.#clear(id), SHOWN_MS) });
      }),
      live.on('comment_added', ({ project_id, user_id }) => {
        if (project_id === project && user_id) this.#clear(user_id);
      }),
    ];
  }

  namesOn(task: Id): string[] {
    return [...this.#people.values()].filter((person) => person.task === task).map((person) => person.name);
  }

  close(): void {
    for (const stop of this.#stops) stop();
    for (const id of [...this.#people.keys()]) this.#clear(id);
  }

  #clear(id: Id): void {
    clearTimeout(this.#people.get(id)?.timer);
    this.#people.delete(id);
  }
}
