import { toasts } from '../page/announcer.svelte';
import { errorText } from './error-text';
import { SignedOutError } from './errors';

const toast = (error: unknown) => {
  toasts.show({ tone: 'error', text: errorText(error) });
};

/**
 * Does it, and tells the person where that failed. Resolves to whether it worked.
 *
 * @param tell where the failure is shown: a passing message, or inside the dialog that covers those
 */
export async function attempt(work: () => Promise<unknown>, tell: (error: unknown) => void = toast): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!(error instanceof SignedOutError)) tell(error);
    return false;
  }
}
