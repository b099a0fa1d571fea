/** Everything the palette can lead to, as one kind of item: actions, tasks, people, projects, saved views. */
import type { IconName } from '../../components/ui/Icon.svelte';
import { type Action, GROUPS } from '../actions/action';
import { keysOf } from '../actions/menu-items';
import type { BoardView } from '../board/board-view.svelte';
import { paths, router } from '../page/router.svelte';
import type { Card, Id, ProjectWithRole, SavedView, SearchHit } from '../types';
import { fold } from '../words/fold';
import { t } from '../words/i18n.svelte';

export type ItemKind = 'action' | 'task' | 'person' | 'project' | 'view' | 'elsewhere';

export interface PaletteItem {
  /** Unique, and the same next time, so that it can be recent. */
  id: string;
  kind: ItemKind;
  title: string;
  /** Beside the title, quieter: the key of a task, the name of its project. */
  hint?: string;
  icon: IconName;
  keys?: string | undefined;
  /** What is searched, folded. */
  text: string;
  run: () => void;
}

export function actionItems(actions: readonly Action[], cards: readonly Card[]): PaletteItem[] {
  return actions
    .filter(({ keyOnly }) => !keyOnly)
    .toSorted((a, b) => GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group))
    .map((action) => ({
      id: `action:${action.id}`,
      kind: 'action',
      title: t(action.title),
      icon: action.icon ?? 'right',
      keys: keysOf(action),
      // An action answers to its English name, too: it is the one in manuals. `id` is close to it.
      text: fold(`${t(action.title)} ${action.id.replaceAll('-', ' ')}`),
      run: () => action.run(cards),
    }));
}

/** A card is folded once, not at every key. */
const folded = new WeakMap<Card, string>();

export function taskItems(view: BoardView): PaletteItem[] {
  return (view.store.shown?.tasks ?? []).filter(({ number }) => number > 0).map((card) => taskItem(view, card));
}

function taskItem(view: BoardView, card: Card): PaletteItem {
  let text = folded.get(card);
  if (text === undefined) {
    text = fold(`${card.title} ${card.key}`);
    folded.set(card, text);
  }
  const run = () => router.go(view.taskPath(card.number));
  return { id: `task:${card.id}`, kind: 'task', title: card.title, hint: card.key, icon: 'board', text, run };
}

/** A person leads to their cards. */
export function personItems(view: BoardView): PaletteItem[] {
  return [...view.store.members.values()].map(({ user_id, name }) => ({
    id: `person:${user_id}`,
    kind: 'person',
    title: name,
    hint: t('palette.their_cards'),
    icon: 'user',
    text: fold(name),
    run: () => router.go(`${paths.board(view.store.id)}?assignee=${user_id}`),
  }));
}

export function projectItems(projects: readonly ProjectWithRole[]): PaletteItem[] {
  return projects.map(({ id, name, key }) => ({
    id: `project:${id}`,
    kind: 'project',
    title: name,
    hint: key,
    icon: 'columns',
    text: fold(`${name} ${key}`),
    run: () => router.go(paths.board(id)),
  }));
}

export function viewItems(project: Id, views: readonly SavedView[]): PaletteItem[] {
  return views.map(({ id, name, query }) => ({
    id: `view:${id}`,
    kind: 'view',
    title: name,
    icon: 'filter',
    text: fold(name),
    run: () => router.go(`${paths.board(project)}?${query}`),
  }));
}

/** Found by the server: in other projects, in descriptions and comments, in the archive. */
export function hitItems(hits: readonly SearchHit[], known: ReadonlySet<string>): PaletteItem[] {
  const seen = new Set(known);
  return hits.flatMap(({ project, task }) => {
    const id = `task:${task.id}`;
    if (seen.has(id)) return [];
    seen.add(id);
    const run = () => router.go(paths.task(project.id, task.number));
    return [
      {
        id,
        kind: 'elsewhere',
        title: task.title,
        hint: `${task.key} · ${project.name}`,
        icon: 'search',
        text: '',
        run,
      },
    ];
  });
}
