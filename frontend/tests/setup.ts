import { cleanup } from '@testing-library/svelte';
import { afterEach, beforeEach } from 'vitest';
import { i18n } from '../src/lib/i18n.svelte';

beforeEach(() => {
  localStorage.clear();
  i18n.language = 'en';
});

afterEach(cleanup);
