import { toasts } from './announcer.svelte';
import { errorText } from './error-text';
import { SignedOutError } from './errors';

/** Does it, and tells the person where that failed. Resolves to whether it worked. */
export async function attempt(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!(error instanceof SignedOutError)) toasts.show({ tone: 'error', text: errorText(error) });
    return false;
  }
}
