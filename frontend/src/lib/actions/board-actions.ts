/** What can be done on a board and with its cards. Titles and keys are here alone; menus and lists read them. */

import type { Side } from '../board/board-lists.svelte';
import type { BoardView } from '../board/board-view.svelte';
import * as bulk from '../board/bulk';
import { clearFilter, toggleFilter } from '../board/filter-address';
import { focusCard, focusCardSoon, focusedCard } from '../board/keys';
import { paths, router } from '../page/router.svelte';
import type { Card, Id } from '../types';
import type { Action } from './action';

type Cards = readonly Card[];

export function boardActions(view: BoardView): Action[] {
  return [...cardActions(view), ...selectActions(view), ...walkActions(view), ...wholeBoardActions(view)];
}

function cardActions(view: BoardView): Action[] {
  const { store, tools } = view;
  const can = (cards: Cards) => view.canEdit && cards.length > 0;
  const saved = (cards: Cards) => cards.length === 1 && cards[0]?.number !== 0;
  const pick = (kind: Parameters<typeof tools.pick>[0]) => (cards: Cards) => tools.pick(kind, cards);
  const step = (direction: 'up' | 'down' | 'left' | 'right' | 'top' | 'bottom') => (cards: Cards) => {
    const [card] = cards;
    if (cards.length > 1) {
      if (direction === 'left' || direction === 'right') bulk.shiftAll(store, cards, direction === 'left' ? -1 : 1);
    } else if (card) {
      store.commands.step(card, direction);
      void focusCardSoon(card.id);
    }
  };
  const shift = (by: 1 | -1) => (cards: Cards) => {
    bulk.shiftAll(store, cards, by);
    if (cards[0]) void focusCardSoon(cards[0].id);
  };
  const leave = (all: (cards: Cards) => void) => (cards: Cards) => {
    const next = cards[0] && after(view, cards[0].id);
    if (cards.some(({ number }) => number === view.openNumber)) view.closeTask();
    all(cards);
    tools.selection.clear();
    if (next) void focusCardSoon(next);
  };
  const me = store.user ?? '';
  return [
    {
      id: 'open',
      title: 'card.open',
      group: 'card',
      icon: 'eye',
      keys: ['Enter'],
      when: saved,
      run: ([card]) => open(view, card),
    },
    {
      id: 'peek',
      title: 'action.peek',
      group: 'card',
      keys: ['Space'],
      keyOnly: true,
      when: saved,
      run: ([card]) => peek(view, card),
    },
    {
      id: 'assign',
      title: 'action.assign',
      group: 'card',
      icon: 'people',
      keys: ['A'],
      when: can,
      run: pick('assignees'),
    },
    {
      id: 'assign-me',
      title: 'action.assign_me',
      group: 'card',
      icon: 'user',
      keys: ['I'],
      when: (cards) => can(cards) && store.members.has(me),
      run: (cards) => bulk.toggleAll(store, cards, 'assignee_ids', me),
    },
    { id: 'label', title: 'action.label', group: 'card', icon: 'tag', keys: ['L'], when: can, run: pick('labels') },
    {
      id: 'priority',
      title: 'action.priority',
      group: 'card',
      icon: 'priority',
      keys: ['P'],
      followedBy: '1–4',
      when: can,
      run: pick('priority'),
    },
    { id: 'due', title: 'action.due', group: 'card', icon: 'calendar', keys: ['D'], when: can, run: pick('due') },
    {
      id: 'comment',
      title: 'action.comment',
      group: 'card',
      icon: 'comment',
      keys: ['M'],
      when: (cards) => view.canComment && cards.length > 0,
      run: pick('comment'),
    },
    { id: 'move', title: 'action.move', group: 'card', icon: 'board', keys: ['V'], when: can, run: pick('column') },
    { id: 'move-next', title: 'action.move_next', group: 'card', icon: 'right', keys: ['>'], when: can, run: shift(1) },
    {
      id: 'move-previous',
      title: 'action.move_previous',
      group: 'card',
      icon: 'left',
      keys: ['<'],
      when: can,
      run: shift(-1),
    },
    { id: 'move-up', title: 'move.up', group: 'card', icon: 'up', keys: ['Shift+ArrowUp'], when: can, run: step('up') },
    {
      id: 'move-down',
      title: 'move.down',
      group: 'card',
      icon: 'down',
      keys: ['Shift+ArrowDown'],
      when: can,
      run: step('down'),
    },
    {
      id: 'move-left',
      title: 'action.move_left',
      group: 'card',
      keys: ['Shift+ArrowLeft'],
      keyOnly: true,
      when: can,
      run: step('left'),
    },
    {
      id: 'move-right',
      title: 'action.move_right',
      group: 'card',
      keys: ['Shift+ArrowRight'],
      keyOnly: true,
      when: can,
      run: step('right'),
    },
    { id: 'move-top', title: 'move.top', group: 'card', icon: 'top', keys: [], when: can, run: step('top') },
    {
      id: 'move-bottom',
      title: 'move.bottom',
      group: 'card',
      icon: 'bottom',
      keys: [],
      when: can,
      run: step('bottom'),
    },
    {
      id: 'archive',
      title: 'action.archive',
      group: 'card',
      icon: 'archive',
      keys: ['E'],
      when: can,
      run: leave((cards) => bulk.archiveAll(store, cards)),
    },
    {
      id: 'delete',
      title: 'card.delete',
      group: 'card',
      icon: 'trash',
      danger: true,
      keys: ['Delete'],
      when: can,
      run: leave((cards) => bulk.deleteAll(store, cards)),
    },
  ];
}

function selectActions(view: BoardView): Action[] {
  const { selection } = view.tools;
  const here = () => view.canEdit && focusedCard() !== null;
  return [
    {
      id: 'select',
      title: 'action.select',
      group: 'select',
      icon: 'check',
      keys: ['X'],
      keyOnly: true,
      when: here,
      run: () => selection.toggle(focusedCard() ?? ''),
    },
    {
      id: 'select-range',
      title: 'action.select_range',
      group: 'select',
      keys: ['Shift+X'],
      keyOnly: true,
      when: here,
      run: () => selection.extend(focusedCard() ?? ''),
    },
    {
      id: 'select-none',
      title: 'action.select_none',
      group: 'select',
      icon: 'close',
      keys: [],
      when: () => selection.cards.length > 0,
      run: () => selection.clear(),
    },
  ];
}

function walkActions(view: BoardView): Action[] {
  const walk = (step: Side) => () => {
    const from = focusedCard() ?? view.tools.last;
    const known = from !== null && view.store.card(from) !== undefined;
    const rows = view.store.columns.map(({ key }) => view.lists.of(key));
    // With no card in focus the first press leads to one: the last there was, else the first of the board.
    const to = known
      ? focusedCard()
        ? view.lists.neighbour(from, step)
        : from
      : (rows.find(({ length }) => length > 0)?.[0]?.id ?? null);
    if (to === null) return;
    focusCard(to);
    if (view.tools.peeking) peekAt(view, view.store.card(to));
  };
  const action = (id: Side, title: Action['title'], keys: string[]): Action => ({
    id: `walk-${id}`,
    title,
    group: 'walk',
    keys,
    keyOnly: true,
    run: walk(id),
  });
  return [
    action('down', 'action.walk_down', ['J', 'ArrowDown']),
    action('up', 'action.walk_up', ['K', 'ArrowUp']),
    action('left', 'action.walk_left', ['H', 'ArrowLeft']),
    action('right', 'action.walk_right', ['L', 'ArrowRight']),
  ];
}

function wholeBoardActions(view: BoardView): Action[] {
  const { store } = view;
  const { history } = store.commands;
  const signedIn = () => store.user !== null;
  return [
    {
      id: 'new-card',
      title: 'column.add_card_title',
      group: 'board',
      icon: 'plus',
      keys: ['C'],
      when: () => view.canEdit && store.columns.length > 0,
      run: ([card]) => compose(view, card),
    },
    {
      id: 'undo',
      title: 'undo.undo',
      group: 'board',
      icon: 'undo',
      keys: ['Z', 'Mod+Z'],
      when: signedIn,
      run: () => history.undo(),
    },
    {
      id: 'redo',
      title: 'undo.redo',
      group: 'board',
      icon: 'redo',
      keys: ['Shift+Z', 'Mod+Shift+Z', 'Mod+Y'],
      when: signedIn,
      run: () => history.redo(),
    },
    {
      id: 'filter',
      title: 'action.filter',
      group: 'board',
      icon: 'filter',
      keys: ['F'],
      run: () => document.querySelector<HTMLElement>('[data-filter]')?.click(),
    },
    {
      id: 'filter-mine',
      title: 'action.filter_mine',
      group: 'board',
      icon: 'user',
      keys: ['Q'],
      when: signedIn,
      run: () => toggleFilter('assignee', 'me'),
    },
    {
      id: 'filter-clear',
      title: 'action.filter_clear',
      group: 'board',
      icon: 'close',
      keys: ['Shift+Q'],
      run: () => clearFilter(),
    },
    {
      id: 'go-board',
      title: 'action.go_board',
      group: 'go',
      icon: 'board',
      keys: ['G B'],
      run: () => router.go(paths.board(store.id)),
    },
    {
      id: 'members',
      title: 'members.title',
      group: 'board',
      icon: 'people',
      keys: [],
      run: () => {
        view.dialog = { name: 'members' };
      },
    },
    {
      id: 'labels',
      title: 'task.labels',
      group: 'board',
      icon: 'tag',
      keys: [],
      when: () => view.canEdit,
      run: () => {
        view.dialog = { name: 'labels' };
      },
    },
    { id: 'back', title: 'action.back', group: 'general', keys: ['Escape'], keyOnly: true, run: () => back(view) },
  ];
}

/** What the focus goes to once a card has left. */
function after(view: BoardView, id: Id): Id | undefined {
  const cards = view.lists.of(view.store.card(id)?.status ?? '');
  const index = cards.findIndex((card) => card.id === id);
  return (cards[index + 1] ?? cards[index - 1])?.id;
}

function open(view: BoardView, card: Card | undefined): void {
  view.tools.peeking = false;
  if (card) router.go(view.taskPath(card.number));
}

function peek(view: BoardView, card: Card | undefined): void {
  if (view.tools.peeking && view.openNumber === card?.number) back(view);
  else {
    view.tools.peeking = true;
    peekAt(view, card);
  }
}

function peekAt(view: BoardView, card: Card | undefined): void {
  if (card && card.number !== 0) router.go(view.taskPath(card.number), { replace: view.openNumber !== null });
}

/** A new card in the column of the card in focus, else in the first. */
function compose(view: BoardView, card: Card | undefined): void {
  const column = card?.status ?? view.store.columns[0]?.key;
  if (column) view.compose(column);
}

/** One level: the marks, then the task beside the board. */
function back(view: BoardView): void {
  if (view.tools.selection.cards.length > 0) view.tools.selection.clear();
  else if (view.openNumber !== null) {
    const card = view.openCard;
    view.tools.peeking = false;
    view.closeTask();
    if (card) void focusCardSoon(card.id);
  }
}
