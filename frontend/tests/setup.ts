import { cleanup } from '@testing-library/svelte';
import { afterEach, beforeEach } from 'vitest';
import { i18n, LANGUAGES, loadLanguage, withWords } from '../src/lib/words/i18n.svelte';

// So that a test may change the language at once.
await withWords(Promise.resolve());
await Promise.all(LANGUAGES.map(({ code }) => loadLanguage(code)));

beforeEach(() => {
  localStorage.clear();
  i18n.language = 'en';
});

afterEach(cleanup);
