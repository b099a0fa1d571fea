/** Menus out of the table of actions: title, icon and key come from it, so a menu always teaches the shortcut. */
import type { MenuItem } from '../../components/ui/PopupMenu.svelte';
import { isCharacter, shortcuts } from '../shortcuts/settings.svelte';
import { shownKeys } from '../shortcuts/strokes';
import type { Card } from '../types';
import { t } from '../words/i18n.svelte';
import { type Action, isPossible } from './action';

/** The keys shown beside an action; nothing where it has none, or where they are turned off. */
export function keysOf({ keys, followedBy }: Action): string | undefined {
  const first = keys.find((one) => shortcuts.letters || !isCharacter(one));
  return first && shownKeys(first) + (followedBy && isCharacter(first) ? ` ${followedBy}` : '');
}

/** The named actions that are possible on these cards, in that order. */
export function menuItems(
  actions: readonly Action[],
  ids: readonly string[],
  cards: readonly Card[],
  heading?: string,
): MenuItem[] {
  const found = ids.flatMap((id) => actions.find((action) => action.id === id) ?? []);
  return found
    .filter((action) => isPossible(action, cards))
    .map((action, index) => {
      const keys = keysOf(action);
      return {
        label: t(action.title),
        run: () => action.run(cards),
        ...(heading && index === 0 && { heading }),
        ...(action.icon && { icon: action.icon }),
        ...(keys && { keys }),
        ...(action.danger && { danger: true }),
      };
    });
}
