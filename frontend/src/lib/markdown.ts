/**
 * Markdown of descriptions and comments as HTML that can do no harm: rendered by `marked`, then everything that is not
 * on a short list is removed by DOMPurify. Loaded when the first text is shown.
 */
import createPurifier from 'dompurify';
import { Marked, type Token } from 'marked';

const TAGS = 'p br hr strong em del code pre blockquote ul ol li h3 h4 h5 h6 a table thead tbody tr th td span'.split(
  ' ',
);
const ATTRIBUTES = ['href', 'class', 'start'];

/** The only classes that are let through. */
const OUR_CLASSES = new Set(['mention', 'box']);

const purifier = createPurifier(window);
purifier.addHook('afterSanitizeAttributes', (node) => {
  if (node.tagName === 'A') {
    node.setAttribute('target', '_blank');
    node.setAttribute('rel', 'noopener noreferrer nofollow');
  }
  if (!OUR_CLASSES.has(node.getAttribute('class') ?? '')) node.removeAttribute('class');
});

const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** `@Name` of a member, the longest name first, whatever the case. */
function mentions(names: readonly string[]) {
  const sorted = [...names].sort((a, b) => b.length - a.length).map((name) => name.toLowerCase());
  return {
    name: 'mention',
    level: 'inline' as const,
    start: (source: string) => source.indexOf('@'),
    tokenizer(source: string) {
      if (!source.startsWith('@')) return undefined;
      const rest = source.slice(1).toLowerCase();
      const found = sorted.find((name) => rest.startsWith(name));
      return found ? { type: 'mention', raw: source.slice(0, found.length + 1) } : undefined;
    },
    renderer: (token: Token) => `<span class="mention">${escapeHtml(token.raw)}</span>`,
  };
}

export function renderMarkdown(source: string, names: readonly string[] = []): string {
  const marked = new Marked({
    gfm: true,
    breaks: true,
    extensions: [mentions(names)] as never,
    renderer: {
      // A page of the board has its own first two levels.
      heading({ tokens, depth }) {
        const level = Math.min(6, depth + 2);
        return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>`;
      },
      // Nothing is fetched from elsewhere on behalf of who merely reads.
      image: ({ href, text }) => `<a href="${escapeHtml(href)}">${escapeHtml(text || href)}</a>`,
      // A list of things to do is shown here, and ticked in the text.
      checkbox: ({ checked }) => `<span class="box">${checked ? '☑' : '☐'}</span> `,
      html: ({ text }) => escapeHtml(text),
    },
  });
  return purifier.sanitize(marked.parse(source, { async: false }), { ALLOWED_TAGS: TAGS, ALLOWED_ATTR: ATTRIBUTES });
}
