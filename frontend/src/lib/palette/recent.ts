/** What was chosen in the palette lately, newest first, on this device. */
import { remember, remembered } from '../page/storage';
import type { Id } from '../types';

const KEPT = 12;

const keyOf = (user: Id | null) => `palette.recent.${user ?? 'nobody'}`;

export function recentItems(user: Id | null): string[] {
  try {
    const list: unknown = JSON.parse(remembered(keyOf(user)) ?? '[]');
    return Array.isArray(list) ? list.filter((id) => typeof id === 'string') : [];
  } catch {
    return [];
  }
}

export function rememberItem(user: Id | null, id: string): void {
  const list = [id, ...recentItems(user).filter((other) => other !== id)].slice(0, KEPT);
  remember(keyOf(user), JSON.stringify(list));
}
