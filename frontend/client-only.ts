/**
 * Tells the build that no page comes drawn from a server. Svelte guards by one variable all that takes such a page over,
 * so that it falls away where nobody does; Rolldown sees that only in a constant. A hundredth of all scripts.
 */
import type { Plugin } from 'vite';

const MODULE = /\/svelte\/src\/internal\/client\/dom\/hydration\.js$/;
const GUARD = 'export let hydrating = false;';
const SETTING = 'hydrating = value;';

/** The code of that module with the guard as a constant. Throws where it is not what it was. */
export function withoutHydration(code: string): string {
  if (!code.includes(GUARD) || !code.includes(SETTING)) throw new Error('Svelte guards its hydration in a new way');
  return code.replace(GUARD, 'export const hydrating = false;').replace(SETTING, '');
}

export function clientOnly(): Plugin {
  return {
    name: 'client-only',
    apply: 'build',
    transform: { filter: { id: MODULE }, handler: (code) => ({ code: withoutHydration(code), map: null }) },
  };
}
