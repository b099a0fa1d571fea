/**
 * Changes of a board's columns and labels: they go to the server at once, and can be taken back like
 * everything else. Each throws what the server refuses; taking back leaves alone what others have changed since, and
 * says so (`LeftAlone`).
 */

import type { ColumnFields, LabelFields } from '../server/endpoints';
import type { Column, Id, Label } from '../types';
import { t } from '../words/i18n.svelte';
import type { BoardStore } from './board.svelte';
import { type Call, LeftAlone } from './undo';

/** Remembers a deed in words, how to do it again and how to take it back. */
type Done = (text: string, forth: Call, back: Call) => void;
type Place = Pick<ColumnFields, 'before_id' | 'after_id'>;

export class ListCommands {
  readonly #store: BoardStore;
  readonly #done: Done;

  constructor(store: BoardStore, done: Done) {
    this.#store = store;
    this.#done = done;
  }

  async createColumn(fields: ColumnFields): Promise<void> {
    const { columns } = this.#store.rest;
    let { id } = await columns.create(this.#store.id, fields);
    const forth = async () => {
      ({ id } = await columns.create(this.#store.id, fields));
    };
    this.#done(t('undo.column_created', { name: fields.name ?? '' }), forth, () => columns.delete(this.#store.id, id));
  }

  /** Changes its fields, or its place. */
  async updateColumn(column: Column, fields: ColumnFields): Promise<void> {
    const { columns } = this.#store.rest;
    const place = this.#placeOf(column.id);
    const before = held(column, fields);
    const change = (values: ColumnFields) => columns.update(this.#store.id, column.id, values);
    const back = async (force: boolean) => {
      const now = this.#store.columns.find(({ id }) => id === column.id);
      if (!now) throw new LeftAlone(column.name, { gone: true });
      const isMove = 'before_id' in fields || 'after_id' in fields;
      const values = force ? before : unchanged(now, fields, before);
      await changeBack(now.name, before, values, () => change({ ...values, ...(isMove && this.#stillThere(place)) }));
    };
    await change(fields);
    this.#done(t('undo.column_changed', { name: column.name }), () => change(fields), back);
  }

  async deleteColumn({ id: first, name, wip_limit, is_done }: Column): Promise<void> {
    const { columns } = this.#store.rest;
    const place = this.#placeOf(first);
    let id = first;
    const forth = () => columns.delete(this.#store.id, id);
    const back = async () => {
      ({ id } = await columns.create(this.#store.id, { name, wip_limit, is_done, ...this.#stillThere(place) }));
    };
    await forth();
    this.#done(t('undo.column_deleted', { name }), forth, back);
  }

  async createLabel(fields: LabelFields): Promise<void> {
    const { labels } = this.#store.rest;
    let { id } = await labels.create(this.#store.id, fields);
    const forth = async () => {
      ({ id } = await labels.create(this.#store.id, fields));
    };
    this.#done(t('undo.label_created', { name: fields.name ?? '' }), forth, () => labels.delete(this.#store.id, id));
  }

  async updateLabel(label: Label, fields: LabelFields): Promise<void> {
    const { labels } = this.#store.rest;
    const before = held(label, fields);
    const forth = () => labels.update(this.#store.id, label.id, fields);
    const back = async (force: boolean) => {
      const now = this.#store.labels.get(label.id);
      if (!now) throw new LeftAlone(label.name, { gone: true });
      const values = force ? before : unchanged(now, fields, before);
      await changeBack(now.name, before, values, () => labels.update(this.#store.id, label.id, values));
    };
    await forth();
    this.#done(t('undo.label_changed', { name: label.name }), forth, back);
  }

  /** Taken back it is a new label of the same name, on the cards that had it and are still there. */
  async deleteLabel({ id: first, name, color }: Label): Promise<void> {
    const { labels, tasks } = this.#store.rest;
    let id = first;
    const had = (this.#store.shown?.tasks ?? [])
      .filter((card) => card.label_ids.includes(first))
      .map((card) => card.id);
    const forth = () => labels.delete(this.#store.id, id);
    const back = async () => {
      ({ id } = await labels.create(this.#store.id, { name, color }));
      for (const one of had) {
        const card = this.#store.card(one);
        if (card) await tasks.update(one, { label_ids: [...card.label_ids, id] }, {});
      }
    };
    await forth();
    this.#done(t('undo.label_deleted', { name }), forth, back);
  }

  #placeOf(id: Id): Place {
    const index = this.#store.columns.findIndex((column) => column.id === id);
    const [previous, next] = [this.#store.columns[index - 1], this.#store.columns[index + 1]];
    return { ...(next && { before_id: next.id }), ...(previous && { after_id: previous.id }) };
  }

  /** One of the old neighbours, if it is there; else the end will do. */
  #stillThere({ before_id: next, after_id: previous }: Place): Place {
    const has = (id: Id | undefined) => id !== undefined && this.#store.columns.some((column) => column.id === id);
    if (next && has(next)) return { before_id: next };
    return previous && has(previous) ? { after_id: previous } : {};
  }
}

/** What it held in the fields that change. */
function held<T extends object>(item: T, fields: object): Partial<T> {
  return Object.fromEntries(
    Object.keys(fields).flatMap((name) => (name in item ? [[name, item[name as keyof T]]] : [])),
  ) as Partial<T>;
}

/** What was held before, of the fields that still hold what was put there. */
function unchanged<T extends object>(now: T, put: object, before: Partial<T>): Partial<T> {
  const mine = Object.entries(put).filter(([name, value]) => name in before && now[name as keyof T] === value);
  return Object.fromEntries(mine.map(([name]) => [name, before[name as keyof T]])) as Partial<T>;
}

/** Puts back what may be, if anything, and says where that is not all. */
async function changeBack(name: string, before: object, values: object, change: () => Promise<unknown>): Promise<void> {
  const [all, some] = [Object.keys(before).length, Object.keys(values).length];
  if (all === 0 || some > 0) await change();
  if (some < all) throw new LeftAlone(name);
}
