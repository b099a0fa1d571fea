/**
 * Who is writing where, and which task one looks at oneself. A sign of writing is good for some seconds; the client
 * repeats it while somebody types. Who wants to be unseen (preferences) sends neither.
 */
import { SvelteMap } from 'svelte/reactivity';
import { preferences } from '../page/preferences.svelte';
import type { Live } from '../server/live';
import type { Id } from '../types';

/** The texts of a task that one can be seen writing in. */
export type WritingField = 'comment' | 'description' | 'title';

/** A sign is shown for this long; also the pause after which writing begins anew. */
const SHOWN_MS = 5_000;
/** A slip of a key is not editing: only who has been at it for this long is shown at a text that others see, too. */
const EARNEST_MS = 1_000;

interface Writer {
  name: string;
  task: Id;
  field: WritingField;
  timer: ReturnType<typeof setTimeout>;
}

export class Typing {
  readonly #live: Live;
  readonly #project: Id;
  readonly #people = new SvelteMap<Id, Writer>();
  readonly #stops: Array<() => void>;
  #place = '';
  #begun = 0;
  #last = Number.NEGATIVE_INFINITY;

  constructor(live: Live, project: Id, me: Id | null) {
    this.#live = live;
    this.#project = project;
    this.#stops = [
      live.on('typing', ({ project_id, user_id, data }) => {
        const id: Id | undefined = data.user_id ?? user_id;
        if (project_id !== project || !id || id === me) return;
        this.#clear(id);
        const name = data.name ?? live.presence(project).find((person) => person.user_id === id)?.name;
        if (!name) return;
        const timer = setTimeout(() => this.#clear(id), SHOWN_MS);
        this.#people.set(id, { name, task: data.task_id, field: data.field ?? 'comment', timer });
      }),
      // Whoever has sent the comment or saved the text is done with it.
      live.on('*', ({ type, project_id, user_id, data }) => {
        if (project_id !== project || !user_id || !this.#people.has(user_id)) return;
        const saved = type.startsWith('task_') && data.changes?.includes(this.#people.get(user_id)?.field);
        if (type === 'comment_added' || saved) this.#clear(user_id);
      }),
    ];
  }

  /** Names of the others who write in that text now. */
  namesOn(task: Id, field: WritingField): string[] {
    return [...this.#people.values()]
      .filter((person) => person.task === task && person.field === field)
      .map((person) => person.name);
  }

  /** Call it at every key. */
  key(task: Id, field: WritingField, now = performance.now()): void {
    if (!preferences.visible) return;
    const place = `${field} ${task}`;
    if (place !== this.#place || now - this.#last > SHOWN_MS) this.#begun = now;
    this.#place = place;
    this.#last = now;
    if (field === 'comment' || now - this.#begun >= EARNEST_MS) this.#live.typing(this.#project, task, field);
  }

  /** Says which task one looks at, if any. */
  look(task: Id | null): void {
    this.#live.viewing(this.#project, preferences.visible ? task : null);
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
