/** Small things this browser remembers. Storage may be full or forbidden; then the page works without. */

const PREFIX = 'timetodo.';

export function remembered(key: string): string | null {
  try {
    return localStorage.getItem(PREFIX + key);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string): boolean {
  try {
    localStorage.setItem(PREFIX + key, value);
    return true;
  } catch {
    return false;
  }
}

export function forget(key: string): void {
  try {
    localStorage.removeItem(PREFIX + key);
  } catch {
    // Nothing was kept, so nothing is left.
  }
}

/** Whether anything can be remembered now. */
export function storageWorks(): boolean {
  const works = remember('probe', '');
  forget('probe');
  return works;
}

/** The rest of a key of localStorage, after `prefix`; null where it is not ours or begins differently. */
export const keyOf = (storageKey: string, prefix: string): string | null =>
  storageKey.startsWith(PREFIX + prefix) ? storageKey.slice((PREFIX + prefix).length) : null;

/** Every remembered key that begins with `prefix`. */
export function rememberedKeys(prefix: string): string[] {
  try {
    return Object.keys(localStorage)
      .filter((key) => key.startsWith(PREFIX + prefix))
      .map((key) => key.slice(PREFIX.length));
  } catch {
    return [];
  }
}
