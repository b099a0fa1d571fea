/** Opens a project for the screen: its store, its view, and what is told where a change was refused. */
import { toasts } from './announcer.svelte';
import { BoardStore } from './board.svelte';
import { BoardView } from './board-view.svelte';
import type { Change } from './changes';
import { errorText } from './error-text';
import { ApiError, SignedOutError } from './errors';
import { t } from './i18n.svelte';
import { keepText } from './keep-text';
import { connect } from './live';
import { session } from './session.svelte';
import type { Card, Id } from './types';

export interface OpenBoard {
  store: BoardStore;
  view: BoardView;
}

/** Made where a component is made; nothing is read before `follow`. */
export function openBoard(project: Id): OpenBoard {
  const store: BoardStore = new BoardStore(project, {
    rest: session.rest,
    live: session.live,
    user: session.user?.id ?? null,
    onRefused: (change, error, card) => refused(store, change, error, card),
  });
  return { store, view: new BoardView(store) };
}

/** Reads the board and follows its log until the returned function is called. */
export function follow({ store, view }: OpenBoard): () => void {
  connect();
  void store.open();
  return () => {
    view.close();
    store.close();
  };
}

function refused(store: BoardStore, change: Change, error: unknown, card: Card | undefined): void {
  keepText(store.user, store.id, change);
  store.commands.history.forget(change.op_id);
  const conflict = error instanceof ApiError && error.code === 'version_conflict';
  if (conflict || error instanceof SignedOutError) return;
  const what = change.kind === 'create' ? change.task.title : (card?.key ?? '');
  const gone = error instanceof ApiError && error.status === 404;
  const text = t('change.refused', { what, reason: gone ? t('error.card_gone') : errorText(error) });
  const retry = { label: t('action.retry'), run: () => store.commands.retry(change) };
  toasts.show({ tone: 'error', text, ...(!gone && change.kind !== 'create' && { action: retry }) });
}
