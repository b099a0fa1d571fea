/** What lies over the page by key: the palette and the list of shortcuts. One at a time. */
import type { Card } from '../types';

let shown = $state<'palette' | 'shortcuts' | null>(null);
let cards = $state.raw<readonly Card[]>([]);

export const layers = {
  get shown() {
    return shown;
  },
  /** The cards that had the attention when the palette was opened: its actions are about them. */
  get cards(): readonly Card[] {
    return cards;
  },
  open(name: 'shortcuts'): void {
    shown = name;
  },
  openPalette(about: readonly Card[]): void {
    cards = about;
    shown = 'palette';
  },
  close(): void {
    shown = null;
  },
};
