/** Whether single letters are shortcuts on this device. Who speaks to the computer, or hits keys by chance, turns them off. */
import { remember, remembered } from '../page/storage';

const KEY = 'shortcuts.letters';
let letters = $state(remembered(KEY) !== 'off');

export const shortcuts = {
  /** WCAG 2.1.4: shortcuts of a character alone can be turned off; those with Ctrl or ⌘, arrows and Enter stay. */
  get letters(): boolean {
    return letters;
  },
  set letters(on: boolean) {
    letters = on;
    remember(KEY, on ? 'on' : 'off');
  },
};

/** Whether the keys are a character alone, with Shift or in a sequence. */
export const isCharacter = (keys: string): boolean =>
  keys.split(' ').every((key) => /^(?:Shift\+)?[\x21-\x7e]$/.test(key));
