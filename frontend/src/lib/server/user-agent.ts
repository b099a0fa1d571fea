/** "Firefox, Linux" of a User-Agent header: enough to tell one's own devices apart. */

// In this order: most browsers also name those they descend from.
const BROWSERS: ReadonlyArray<[string, RegExp]> = [
  ['Edge', /\bEdgA?\//],
  ['Opera', /\bOPR\//],
  ['Yandex', /\bYaBrowser\//],
  ['Firefox', /\b(Firefox|FxiOS)\//],
  ['Chrome', /(Chrome|CriOS)\//],
  ['Safari', /\bSafari\//],
  ['curl', /^curl\//],
];
const SYSTEMS: ReadonlyArray<[string, RegExp]> = [
  ['Android', /Android/],
  ['iOS', /iPhone|iPad/],
  ['Windows', /Windows/],
  ['macOS', /Mac OS X/],
  ['Linux', /Linux/],
];

export function describeAgent(agent: string | null): string | null {
  if (!agent) return null;
  const nameOf = (list: typeof BROWSERS) => list.find(([, pattern]) => pattern.test(agent))?.[0];
  return [nameOf(BROWSERS), nameOf(SYSTEMS)].filter(Boolean).join(', ') || agent.slice(0, 60);
}

export const isPhone = (agent: string | null): boolean => /Android|iPhone|iPad|Mobile/.test(agent ?? '');
