import { fieldError } from './error-text';
import { SignedOutError } from './errors';

/** A form on its way to the server: whether it is, and what came of it. One at a time. */
export class Submission {
  busy = $state(false);
  error = $state.raw<unknown>(null);

  /** Does it. Resolves to whether it worked; where it did not, `error` says why. */
  async run(work: () => Promise<unknown>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.error = null;
    try {
      await work();
      return true;
    } catch (failure) {
      if (!(failure instanceof SignedOutError)) this.error = failure;
      return false;
    } finally {
      this.busy = false;
    }
  }

  /** A handler of a form's `submit`. */
  on(work: () => Promise<unknown>): (event: Event) => void {
    return (event) => {
      event.preventDefault();
      void this.run(work);
    };
  }

  /** What the server says about one field. */
  field(name: string): string | undefined {
    return fieldError(this.error, name);
  }
}
