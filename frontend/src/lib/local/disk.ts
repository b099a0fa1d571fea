/**
 * What this browser keeps: boards, tasks read, changes on their way. IndexedDB where there is one; otherwise changes
 * go to localStorage and the rest lives as long as the page.
 *
 * Nothing here throws for want of storage: a full or forbidden disk costs the copy, never the page.
 */
import { type IDBPDatabase, openDB } from 'idb';
import { forget, remember, remembered, rememberedKeys } from '../page/storage';

/** `copies` can be read again from the server at any time; `outbox` holds what exists nowhere else. */
export type Box = 'copies' | 'outbox';
const BOXES: readonly Box[] = ['copies', 'outbox'];

export interface Disk {
  get(box: Box, key: string): Promise<unknown>;
  /** Every value whose key begins with `prefix`, in the order of the keys. */
  list(box: Box, prefix: string): Promise<unknown[]>;
  put(box: Box, key: string, value: unknown): Promise<void>;
  remove(box: Box, key: string): Promise<void>;
  /** Forgets everything whose key begins with `prefix`. */
  clear(box: Box, prefix: string): Promise<void>;
}

const within = (prefix: string) => IDBKeyRange.bound(prefix, `${prefix}\uffff`);

/** The database of this browser, opened again after it was closed under our feet (a newer page, a cleared disk). */
class Database implements Disk {
  readonly #name: string;
  #db: Promise<IDBPDatabase> | null = null;

  constructor(name: string) {
    this.#name = name;
  }

  async get(box: Box, key: string) {
    return (await this.#open()).get(box, key);
  }

  async list(box: Box, prefix: string) {
    return (await this.#open()).getAll(box, within(prefix));
  }

  put(box: Box, key: string, value: unknown) {
    return this.#write(box, (store) => store.put(value, key));
  }

  remove(box: Box, key: string) {
    return this.#write(box, (store) => store.delete(key));
  }

  clear(box: Box, prefix: string) {
    return this.#write(box, (store) => store.delete(within(prefix)));
  }

  /** Committed by name, so that a page that closes the next moment does not take the change with it. */
  async #write(box: Box, act: (store: IDBObjectStore) => IDBRequest): Promise<void> {
    const db = await this.#open();
    const durability = box === 'outbox' ? 'strict' : 'relaxed';
    const transaction = (db as unknown as { transaction: IDBPDatabase['transaction'] }).transaction(box, 'readwrite', {
      durability,
    });
    const done = transaction.done;
    act(transaction.store as unknown as IDBObjectStore);
    transaction.commit();
    await done;
  }

  #open(): Promise<IDBPDatabase> {
    const again = () => {
      this.#db = null;
    };
    this.#db ??= openDB(this.#name, 1, {
      upgrade: (db) => {
        for (const box of BOXES) db.createObjectStore(box);
      },
      blocking: (_current, _blocked, event) => {
        (event.target as IDBDatabase).close();
        again();
      },
      terminated: again,
    }).catch((error: unknown) => {
      again();
      throw error;
    });
    return this.#db;
  }
}

/** Where there is no database: changes in localStorage, copies in memory. */
export class Rough implements Disk {
  readonly #copies = new Map<string, unknown>();

  async get(box: Box, key: string) {
    return box === 'copies' ? this.#copies.get(key) : parse(remembered(`outbox.${key}`));
  }

  async list(box: Box, prefix: string) {
    const keys = box === 'copies' ? [...this.#copies.keys()] : rememberedKeys('outbox.').map((key) => key.slice(7));
    const found = keys.filter((key) => key.startsWith(prefix)).sort();
    const values = await Promise.all(found.map((key) => this.get(box, key)));
    return values.filter((value) => value !== null);
  }

  async put(box: Box, key: string, value: unknown) {
    if (box === 'copies') this.#copies.set(key, value);
    else remember(`outbox.${key}`, JSON.stringify(value));
  }

  async remove(box: Box, key: string) {
    if (box === 'copies') this.#copies.delete(key);
    else forget(`outbox.${key}`);
  }

  async clear(box: Box, prefix: string) {
    const keys = box === 'copies' ? [...this.#copies.keys()] : rememberedKeys('outbox.').map((key) => key.slice(7));
    for (const key of keys) if (key.startsWith(prefix)) await this.remove(box, key);
  }
}

/** The first disk, and the second for whatever the first cannot do. */
class Backed implements Disk {
  readonly #first: Disk;
  readonly #second: Disk;

  constructor(first: Disk, second: Disk) {
    this.#first = first;
    this.#second = second;
  }

  async get(box: Box, key: string) {
    const found = await this.#first.get(box, key).catch(() => undefined);
    return found ?? (await this.#second.get(box, key));
  }

  async list(box: Box, prefix: string) {
    const [first, second] = [await this.#first.list(box, prefix).catch(() => []), await this.#second.list(box, prefix)];
    return [...first, ...second];
  }

  async put(box: Box, key: string, value: unknown) {
    try {
      await this.#first.put(box, key, value);
    } catch {
      await this.#second.put(box, key, value);
    }
  }

  async remove(box: Box, key: string) {
    await this.#first.remove(box, key).catch(() => {});
    await this.#second.remove(box, key);
  }

  async clear(box: Box, prefix: string) {
    await this.#first.clear(box, prefix).catch(() => {});
    await this.#second.clear(box, prefix);
  }
}

export const openDisk = (name = 'timetodo'): Disk =>
  'indexedDB' in globalThis ? new Backed(new Database(name), new Rough()) : new Rough();

function parse(json: string | null): unknown {
  try {
    return JSON.parse(json ?? 'null');
  } catch {
    return null;
  }
}
