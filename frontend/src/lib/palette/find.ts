/** From what was typed to what is shown: the best of each kind, the kind with the best first. Pure. */
import { readings } from '../words/fold';
import type { ItemKind, PaletteItem } from './items';
import { score } from './match';

export interface Group {
  kind: ItemKind | 'recent';
  items: PaletteItem[];
}

/** Most items of a kind that are shown. More would be searched by eye, which typing does better. */
const MOST: Readonly<Record<ItemKind, number>> = { action: 8, task: 12, person: 5, project: 6, view: 5, elsewhere: 10 };
/** With nothing typed: what one came back to lately, then what is possible. */
const RECENT = 5;
const OFFERED = 40;

export function find(items: readonly PaletteItem[], query: string, recent: readonly string[]): Group[] {
  return query.trim() === '' ? offer(items, recent) : search(items, query, recent);
}

function offer(items: readonly PaletteItem[], recent: readonly string[]): Group[] {
  const again = recent.flatMap((id) => items.find((item) => item.id === id) ?? []).slice(0, RECENT);
  const actions = items.filter((item) => item.kind === 'action' && !again.includes(item)).slice(0, OFFERED);
  const groups: Group[] = [
    { kind: 'recent', items: again },
    { kind: 'action', items: actions },
  ];
  return groups.filter((group) => group.items.length > 0);
}

function search(items: readonly PaletteItem[], query: string, recent: readonly string[]): Group[] {
  const meant = readings(query);
  const byKind = new Map<ItemKind, Array<{ item: PaletteItem; fit: number }>>();
  for (const item of items) {
    const fit = score(meant, item.text);
    if (fit === 0) continue;
    const found = byKind.get(item.kind) ?? [];
    found.push({ item, fit: fit + (recent.includes(item.id) ? 5 : 0) });
    byKind.set(item.kind, found);
  }
  const groups = [...byKind].map(([kind, found]) => {
    const best = found.sort((a, b) => b.fit - a.fit).slice(0, MOST[kind]);
    return { kind, fit: best[0]?.fit ?? 0, items: best.map(({ item }) => item) };
  });
  return groups.sort((a, b) => b.fit - a.fit).map(({ kind, items: best }) => ({ kind, items: best }));
}
