import { t } from '../words/i18n.svelte';

/** What the tab is called while this component is there: what is shown, and in which project or app. */
export function titled(shown: () => string, where?: () => string | undefined): void {
  $effect.pre(() => {
    document.title = `${shown()} · ${where?.() ?? t('app.name')}`;
  });
}
