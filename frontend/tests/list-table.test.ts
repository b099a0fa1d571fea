/** The list as a table on the screen. */
import { render, screen } from '@testing-library/svelte';
import { expect, test, vi } from 'vitest';
import ListTable from '../src/components/list/ListTable.svelte';
import { BoardView } from '../src/lib/board/board-view.svelte';
import { type Grouping, groupCards } from '../src/lib/lists/list-rows';
import { openBoard, settled } from './support/board';

test.each<[screen: string, narrow: boolean, Grouping, names: number]>([
  ['a phone, grouped by column', true, 'status', 0],
  ['a phone, grouped otherwise', true, 'priority', 4],
  ['a wide screen', false, 'status', 4],
])('%s: a row names its column only where the group does not', async (_screen, narrow, grouping, names) => {
  vi.stubGlobal('matchMedia', () => Object.assign(new EventTarget(), { matches: narrow }));
  const { store } = await openBoard();
  const view = new BoardView(store);
  const at = {
    columns: store.columns,
    members: store.members,
    timeZone: 'UTC',
    now: new Date(0),
    language: 'en' as const,
  };
  const order = { by: 'board' as const, descending: false };
  const groups = groupCards(view.lists.inOrder, grouping, order, at);
  render(ListTable, { groups, grouping, order, view, onorder: () => {} });
  await settled();
  const cells = screen.getAllByRole('button', { name: /^Column/ });
  expect(cells).toHaveLength(4);
  expect(cells.filter((cell) => cell.textContent?.trim())).toHaveLength(names);
});
