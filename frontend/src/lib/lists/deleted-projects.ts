import { toasts } from '../page/announcer.svelte';
import { paths, router } from '../page/router.svelte';
import { attempt } from '../server/attempt';
import { session } from '../server/session.svelte';
import type { Project } from '../types';
import { t } from '../words/i18n.svelte';
import { projects } from './projects.svelte';

/** Takes a deleted project back and goes to its board. */
export async function takeBack({ id, name }: Pick<Project, 'id' | 'name'>): Promise<void> {
  if (!(await attempt(() => session.rest.projects.restore(id)))) return;
  void projects.load();
  toasts.show({ tone: 'info', text: t('projects.restored', { name }) });
  router.go(paths.board(id));
}

/** Says that it is deleted, and offers the way back. */
export function tellDeleted(project: Pick<Project, 'id' | 'name'>): void {
  toasts.show({
    tone: 'info',
    text: t('projects.gone', { name: project.name }),
    action: { label: t('undo.undo'), run: () => void takeBack(project) },
  });
}
