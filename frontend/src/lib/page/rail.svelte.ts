/** The rail at the side: wide or narrow, as this browser remembers it, and a drawer where there is no room for one. */
import { remember, remembered } from './storage';

let collapsed = $state(remembered('rail') === 'collapsed');
let drawer = $state(false);

export const rail = {
  get collapsed(): boolean {
    return collapsed;
  },
  set collapsed(value: boolean) {
    collapsed = value;
    remember('rail', value ? 'collapsed' : 'open');
  },
  /** Whether the drawer is open. */
  get drawer(): boolean {
    return drawer;
  },
  set drawer(value: boolean) {
    drawer = value;
  },
};
