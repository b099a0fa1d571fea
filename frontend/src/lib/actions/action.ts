/** One thing a person can do, as every way to it knows it: the key, the menu, the palette, the list on `?`. */
import type { IconName } from '../../components/ui/Icon.svelte';
import type { Card } from '../types';
import type { MessageKey } from '../words/i18n.svelte';

export type ActionGroup = 'card' | 'inbox' | 'select' | 'walk' | 'board' | 'go' | 'general';
export const GROUPS: readonly ActionGroup[] = ['card', 'inbox', 'select', 'walk', 'board', 'go', 'general'];

export interface Action {
  id: string;
  title: MessageKey;
  group: ActionGroup;
  icon?: IconName;
  /** The first is the one shown: `C`, `Mod+K`, `G B`. */
  keys: readonly string[];
  /** The rest of what is shown beside the keys, e.g. what follows them. */
  followedBy?: string;
  /** Left out of the palette, where it would make no sense, e.g. "next card". */
  keyOnly?: boolean;
  danger?: boolean;
  /** Whether it is possible now, on these cards: the selected ones, else the focused one, else none. */
  when?: (cards: readonly Card[]) => boolean;
  run: (cards: readonly Card[]) => void;
}

export const isPossible = ({ when }: Action, cards: readonly Card[]): boolean => when?.(cards) ?? true;
