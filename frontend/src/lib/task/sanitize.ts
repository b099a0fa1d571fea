/**
 * HTML in which only what is on a short list is left. Nothing is taken out of the given one: it is read where nothing
 * runs and nothing is fetched, and what is on the list is made anew from it. So what this file has not heard of, in a
 * browser to come as well, is not there. None of its elements holds anything but elements and escaped text, so the
 * result means the same however often it is read.
 */
const ELEMENTS = new Set(
  'p br hr strong em del code pre blockquote ul ol li h3 h4 h5 h6 a table thead tbody tr th td span'.split(' '),
);
/** Where a link may lead: the web, a mailbox, or a task of ours. */
const TASK = /^\/t\/[\p{L}\p{N}]+-\d+$/iu;
const ELSEWHERE = /^(?:https?:\/\/|mailto:)/i;
/** What each attribute may say. */
const ATTRIBUTES = new Map<string, (value: string, element: string) => boolean>([
  ['class', (value) => ['mention', 'todo', 'task'].includes(value)],
  ['href', (value, element) => element === 'a' && (TASK.test(value) || ELSEWHERE.test(value))],
  ['start', (value, element) => element === 'ol' && /^\d+$/.test(value)],
]);

export function sanitize(html: string): string {
  const clean = document.createElement('div');
  takeOver(new DOMParser().parseFromString(html, 'text/html').body, clean);
  return clean.innerHTML;
}

function takeOver(from: Element, to: Element): void {
  for (const node of from.childNodes) {
    if (node instanceof Text) to.append(node.data);
    else if (node instanceof Element && ELEMENTS.has(node.localName)) takeOver(node, to.appendChild(copyOf(node)));
  }
}

function copyOf({ localName, attributes }: Element): Element {
  const copy = document.createElement(localName);
  for (const { name, value } of attributes)
    if (ATTRIBUTES.get(name)?.(value, localName)) copy.setAttribute(name, value);
  // A task opens in this window, everything else in one of its own.
  if (localName === 'a' && !TASK.test(copy.getAttribute('href') ?? '')) {
    copy.setAttribute('target', '_blank');
    copy.setAttribute('rel', 'noopener noreferrer nofollow');
  }
  return copy;
}
