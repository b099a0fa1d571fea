import { i18n } from './i18n.svelte';

export const byName = (a: { name: string }, b: { name: string }): number => a.name.localeCompare(b.name, i18n.language);

/** A new list of them in the order of their names, as the reader's language has it. */
export const sortedByName = <T extends { name: string }>(items: Iterable<T>): T[] => [...items].sort(byName);
