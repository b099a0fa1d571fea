import { expect, test, vi } from 'vitest';

test('words that come later come with their part, and with every language from then on', async () => {
  vi.resetModules();
  const { i18n, loadLanguage, t, withWords } = await import('../src/lib/words/i18n.svelte');
  await loadLanguage('en');
  expect(t('action.go_inbox')).toBe('Inbox');
  expect(() => t('inbox.read_all')).toThrow('no message');
  expect(await withWords(Promise.resolve('part'))).toBe('part');
  expect(t('inbox.read_all')).toBe('Mark all read');
  await loadLanguage('ru');
  i18n.language = 'ru';
  expect(t('inbox.read_all')).toBe('Прочитать всё');
});

test('words that could not be had are asked for again', async () => {
  vi.resetModules();
  const { loadLanguage, t } = await import('../src/lib/words/i18n.svelte');
  const fetching = vi.spyOn(globalThis, 'fetch').mockResolvedValueOnce(new Response('gone', { status: 404 }));
  await expect(loadLanguage('en')).rejects.toThrow('404');
  await loadLanguage('en');
  await loadLanguage('en');
  expect(fetching).toHaveBeenCalledTimes(2);
  expect(t('action.go_inbox')).toBe('Inbox');
});
