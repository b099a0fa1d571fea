/** Which columns of a board a person keeps folded, remembered on this device for that person and board. */
import { remember, remembered } from '../page/storage';
import type { Id } from '../types';

export class Collapsed {
  readonly #name: string;
  #keys = $state.raw<ReadonlySet<string>>(new Set());

  constructor(user: Id | null, project: Id) {
    this.#name = `collapsed.${user ?? ''}.${project}`;
    this.#keys = new Set((remembered(this.#name) ?? '').split(' ').filter(Boolean));
  }

  has(column: string): boolean {
    return this.#keys.has(column);
  }

  toggle(column: string): void {
    const keys = new Set(this.#keys);
    if (!keys.delete(column)) keys.add(column);
    this.#keys = keys;
    remember(this.#name, [...keys].join(' '));
  }
}
