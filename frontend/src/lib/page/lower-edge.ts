/**
 * What stands at the lower edge of the window: bars, the line for a comment, notices, passing messages. Each says how high
 * it is (`--edge-…` of the page, see `styles/tokens.css`), so that what belongs above it stands above it.
 */

/** Between two that stand one above the other, in pixels. */
const GAP = 8;

/** For `use:atLowerEdge`: the room it takes, none while it is not shown. */
export function atLowerEdge(element: HTMLElement, name: 'bar' | 'composer' | 'selection' | 'notices' | 'hint') {
  const { style } = document.documentElement;
  const property = `--edge-${name}`;
  const measure = () => {
    const { offsetHeight: height } = element;
    style.setProperty(property, `${height > 0 ? height + GAP : 0}px`);
  };
  const observer = typeof ResizeObserver === 'undefined' ? null : new ResizeObserver(measure);
  observer?.observe(element);
  return {
    destroy: () => {
      observer?.disconnect();
      style.removeProperty(property);
    },
  };
}
