/**
 * Markdown of descriptions and comments as HTML that can do no harm: rendered by `marked`, then everything that is not
 * on a short list is removed by DOMPurify. Loaded when the first text is shown.
 *
 * Links lead to http, https and mail addresses only and say nothing of where they were found; nothing is fetched from
 * elsewhere, so a picture is a link to it.
 */
import createPurifier from 'dompurify';
import { type Lexer, Marked, type Token } from 'marked';

const TAGS = 'p br hr strong em del code pre blockquote ul ol li h3 h4 h5 h6 a table thead tbody tr th td span'.split(
  ' ',
);
const ATTRIBUTES = ['href', 'class', 'start'];
/** Where a link may lead: the web, a mailbox, or a task of ours. */
const ADDRESSES = /^(?:https?:\/\/|mailto:|\/t\/[\p{L}\p{N}]+-\d+$)/iu;

/** The only classes that are let through. */
const OUR_CLASSES = new Set(['mention', 'todo', 'task']);

/** What a text may speak of by name. */
export interface Vocabulary {
  /** Names of members, for `@Name`. */
  names?: readonly string[];
  /** Keys of projects, for `KEY-12`. */
  keys?: readonly string[];
}

const purifier = createPurifier(window);
purifier.addHook('afterSanitizeAttributes', (node) => {
  if (!OUR_CLASSES.has(node.getAttribute('class') ?? '')) node.removeAttribute('class');
  if (node.tagName !== 'A') return;
  // A task opens in this window, everything else in one of its own.
  if (node.getAttribute('href')?.startsWith('/t/')) return;
  node.setAttribute('target', '_blank');
  node.setAttribute('rel', 'noopener noreferrer nofollow');
});

const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
const escapePattern = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const WORD = /[\p{L}\p{N}_]/u;

/** Whether what was read just before runs into this place: the end of a word, an address, a path. */
const isInside = (before: readonly Token[]) => /[\p{L}\p{N}_./-]$/u.test(before.at(-1)?.raw ?? '');

/** `@Name` of a member, the longest name first, whatever the case; not in the middle of an address. */
function mentions(names: readonly string[]) {
  const sorted = [...names].sort((a, b) => b.length - a.length).map((name) => name.toLowerCase());
  return {
    name: 'mention',
    level: 'inline' as const,
    start: (source: string) => source.indexOf('@'),
    tokenizer(source: string, before: Token[]) {
      if (!source.startsWith('@') || isInside(before)) return undefined;
      const rest = source.slice(1).toLowerCase();
      const found = sorted.find((name) => rest.startsWith(name) && !WORD.test(rest.charAt(name.length)));
      return found ? { type: 'mention', raw: source.slice(0, found.length + 1) } : undefined;
    },
    renderer: (token: Token) => `<span class="mention">${escapeHtml(token.raw)}</span>`,
  };
}

/** `KEY-12` of a project known here leads to that task. */
function tasks(keys: readonly string[]) {
  const known = keys.map(escapePattern).join('|');
  const found = new RegExp(`(?:${known})-[1-9]\\d{0,8}(?![\\p{L}\\p{N}_-])`, 'u');
  return {
    name: 'task',
    level: 'inline' as const,
    start: (source: string) => (known ? source.search(found) : -1),
    tokenizer(this: { lexer: Lexer }, source: string, before: Token[]) {
      const match = known && !this.lexer.state.inLink && !isInside(before) ? found.exec(source) : null;
      return match?.index === 0 ? { type: 'task', raw: match[0] } : undefined;
    },
    renderer: ({ raw }: Token) => `<a class="task" href="/t/${escapeHtml(raw)}">${escapeHtml(raw)}</a>`,
  };
}

export function renderMarkdown(source: string, { names = [], keys = [] }: Vocabulary = {}): string {
  const marked = new Marked({
    gfm: true,
    breaks: true,
    extensions: [mentions(names), tasks(keys)] as never,
    renderer: {
      // A page of the board has its own first two levels.
      heading({ tokens, depth }) {
        const level = Math.min(6, depth + 2);
        return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>`;
      },
      // Nothing is fetched from elsewhere on behalf of who merely reads.
      image: ({ href, text }) => `<a href="${escapeHtml(href)}">${escapeHtml(text || href)}</a>`,
      // A list of things to do is shown here, and ticked in the text.
      checkbox: ({ checked }) => `<span class="todo">${checked ? '☑' : '☐'}</span> `,
      html: ({ text }) => escapeHtml(text),
    },
  });
  return purifier.sanitize(marked.parse(source, { async: false }), {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ATTRIBUTES,
    ALLOWED_URI_REGEXP: ADDRESSES,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
  });
}
