/** Which tab of a page is shown: in the address, so that a reload and a link show it again. */

const NAME = 'tab';

export class TabInAddress<T extends string> {
  shown = $state() as T;

  constructor(tabs: readonly [T, ...T[]]) {
    const asked = new URLSearchParams(location.search).get(NAME);
    this.shown = tabs.find((tab) => tab === asked) ?? tabs[0];
  }

  show(tab: T): void {
    this.shown = tab;
    const url = new URL(location.href);
    url.searchParams.set(NAME, tab);
    // Going back leaves the page, not the tab.
    history.replaceState(history.state, '', url);
  }
}
