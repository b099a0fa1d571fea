/** The filter of a board in its address, as the keys change it. */
import { router } from '../page/router.svelte';

/** Sets one parameter, or takes it away where it is set so already. */
export function toggleFilter(name: string, value: string): void {
  const isSet = new URLSearchParams(location.search).get(name) === value;
  router.setQuery({ [name]: isSet ? '' : value });
}

/** Shows everything again. */
export function clearFilter(): void {
  router.setQuery({ q: '', assignee: '', label: '', priority: '', due: '' });
}
