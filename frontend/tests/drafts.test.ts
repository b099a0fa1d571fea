import { describe, expect, test, vi } from 'vitest';
import type { Change } from '../src/lib/board/changes';
import { rememberedKeys } from '../src/lib/page/storage';
import { Draft, draftOf, removeOldDrafts } from '../src/lib/task/drafts.svelte';
import { dropText, keepText } from '../src/lib/task/keep-text';

const change = (body: object) => ({ op_id: 'o', at: 1, ...body }) as Change;

describe('a draft', () => {
  test('is there after a reload, with the version it was begun at', () => {
    const before = new Draft('anna', 'title.t1');
    before.begin('Saved', 3);
    before.text = 'Typed';
    const after = new Draft('anna', 'title.t1');
    expect([after.text, after.version, after.kept]).toEqual(['Typed', 3, true]);
  });

  test('is not made by opening an editor', () => {
    const draft = new Draft('anna', 'title.t1');
    draft.begin('Saved', 3);
    expect([draft.text, draft.kept]).toEqual(['Saved', false]);
    expect(rememberedKeys('draft.')).toEqual([]);
  });

  test('unsaved text wins over what was saved meanwhile', () => {
    const draft = new Draft('anna', 'title.t1');
    draft.begin('Saved', 3);
    draft.text = 'Typed';
    draft.begin('Saved by somebody else', 4);
    expect([draft.text, draft.version]).toEqual(['Typed', 3]);
  });

  test('an emptied description is a draft, an emptied composer is none', () => {
    const description = new Draft('anna', 'description.t1');
    description.begin('Saved', 3);
    description.text = '';
    expect(description.kept).toBe(true);
    const composer = new Draft('anna', 'comment.t1');
    composer.text = 'a';
    composer.text = '';
    expect(composer.kept).toBe(false);
  });

  test('belongs to one account', () => {
    new Draft('anna', 'comment.t1').text = 'secret';
    expect(new Draft('boris', 'comment.t1').text).toBe('');
  });

  test('works where nothing can be stored', () => {
    vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
      throw new DOMException('full', 'QuotaExceededError');
    });
    const draft = new Draft('anna', 'comment.t1');
    draft.text = 'typed';
    expect(draft.text).toBe('typed');
  });

  test('goes after two months, not before', () => {
    new Draft('anna', 'comment.t1').text = 'old';
    removeOldDrafts(Date.now() + 59 * 86_400_000);
    expect(new Draft('anna', 'comment.t1').kept).toBe(true);
    removeOldDrafts(Date.now() + 61 * 86_400_000);
    expect(new Draft('anna', 'comment.t1').kept).toBe(false);
  });
});

describe('text of a refused change', () => {
  test('goes back to where it was typed, in front of what was typed since', () => {
    draftOf('u1', 'comment', 't1').text = 'next';
    keepText('u1', 'p', change({ kind: 'comment', task_id: 't1', body: 'refused' }));
    expect(draftOf('u1', 'comment', 't1').text).toBe('refused\nnext');
    keepText('u1', 'p', change({ kind: 'create', task: { title: 'Card', status: 'todo' } }));
    expect(draftOf('u1', 'card', 'p', 'todo').text).toBe('Card');
  });

  test('of a comment that was edited goes back to its editor, unless something newer is there', () => {
    const edit = (body: string) => change({ kind: 'comment-edit', task_id: 't1', comment_id: 'c1', body });
    keepText('u1', 'p', edit('half an hour of writing'));
    keepText('u1', 'p', edit('older'));
    expect(draftOf('u1', 'comment-edit', 'c1').text).toBe('half an hour of writing');
  });

  test('of an edit keeps its version, and leaves a newer draft alone', () => {
    const edit = change({ kind: 'patch', task_id: 't2', fields: { description: 'mine' }, seen: 4 });
    keepText('u2', 'p', edit);
    expect([draftOf('u2', 'description', 't2').text, draftOf('u2', 'description', 't2').version]).toEqual(['mine', 4]);
    keepText('u2', 'p', change({ kind: 'patch', task_id: 't2', fields: { description: 'older' }, seen: 4 }));
    expect(draftOf('u2', 'description', 't2').text).toBe('mine');
    dropText('u2', edit);
    expect(draftOf('u2', 'description', 't2').kept).toBe(false);
  });
});
