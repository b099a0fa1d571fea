/** What can be done on every page of who is signed in, and where one can go. */

import { paths, router } from '../page/router.svelte';
import { attempt } from '../server/attempt';
import { session } from '../server/session.svelte';
import type { Action } from './action';
import { layers } from './layers.svelte';

/** The project that is open, by its address. */
function projectHere(): string | null {
  const { route } = router;
  return 'project' in route && typeof route.project === 'string' ? route.project : null;
}

export function pageActions(): Action[] {
  const signedIn = () => session.user !== null;
  return [
    {
      id: 'palette',
      title: 'action.palette',
      group: 'general',
      icon: 'search',
      keys: ['Mod+K'],
      keyOnly: true,
      run: (cards) => layers.openPalette(cards),
    },
    {
      id: 'shortcuts',
      title: 'action.shortcuts',
      group: 'general',
      icon: 'keyboard',
      keys: ['?'],
      run: () => layers.open('shortcuts'),
    },
    {
      id: 'search',
      title: 'action.search',
      group: 'general',
      icon: 'search',
      keys: ['/'],
      when: signedIn,
      run: search,
    },
    {
      id: 'go-home',
      title: 'action.go_home',
      group: 'go',
      icon: 'home',
      keys: ['G M'],
      when: signedIn,
      run: () => router.go(paths.home),
    },
    {
      id: 'go-inbox',
      title: 'action.go_inbox',
      group: 'go',
      icon: 'inbox',
      keys: ['G I'],
      when: signedIn,
      run: () => router.go(paths.inbox),
    },
    {
      id: 'go-calendar',
      title: 'action.go_calendar',
      group: 'go',
      icon: 'calendar',
      keys: ['G C'],
      when: () => projectHere() !== null,
      run: () => router.go(paths.view(projectHere() ?? '', 'calendar')),
    },
    {
      id: 'profile',
      title: 'profile.title',
      group: 'go',
      icon: 'user',
      keys: [],
      when: signedIn,
      run: () => router.go(paths.profile),
    },
    {
      id: 'sign-out',
      title: 'session.sign_out',
      group: 'general',
      icon: 'exit',
      keys: [],
      when: signedIn,
      run: () => void attempt(() => session.signOut()),
    },
  ];
}

/** The field for it, where the page shows one; else the page for it. */
function search(): void {
  const field = document.querySelector<HTMLElement>('[data-search]');
  if (field) field.focus();
  else router.go(paths.search);
}
