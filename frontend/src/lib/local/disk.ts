/**
 * What this browser keeps: boards, tasks read, changes on their way. IndexedDB where there is one; otherwise changes
 * go to localStorage and the rest lives as long as the page.
 *
 * Nothing here throws for want of storage: a full or forbidden disk costs the copy, never the page.
 */
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

const answer = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

const committed = (transaction: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });

/** The database of this browser, opened again after it was closed under our feet (a newer page, a cleared disk). */
class Database implements Disk {
  readonly #name: string;
  #db: Promise<IDBDatabase> | null = null;

  constructor(name: string) {
    this.#name = name;
  }

  get(box: Box, key: string) {
    return this.#read(box, (store) => store.get(key));
  }

  list(box: Box, prefix: string) {
    return this.#read(box, (store) => store.getAll(within(prefix)));
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

  async #read<T>(box: Box, ask: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    const db = await this.#open();
    return answer(ask(db.transaction(box).objectStore(box)));
  }

  /** Committed by name, so that a page that closes the next moment does not take the change with it. */
  async #write(box: Box, act: (store: IDBObjectStore) => IDBRequest): Promise<void> {
    const db = await this.#open();
    const durability = box === 'outbox' ? 'strict' : 'relaxed';
    const transaction = db.transaction(box, 'readwrite', { durability });
    act(transaction.objectStore(box));
    transaction.commit();
    await committed(transaction);
  }

  #open(): Promise<IDBDatabase> {
    const again = () => {
      this.#db = null;
    };
    const begin = async () => {
      const request = indexedDB.open(this.#name, 1);
      request.onupgradeneeded = () => {
        for (const box of BOXES) request.result.createObjectStore(box);
      };
      const db = await answer(request);
      db.onversionchange = () => {
        db.close();
        again();
      };
      db.onclose = again;
      return db;
    };
    this.#db ??= begin().catch((error: unknown) => {
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
