// @vitest-environment jsdom
// DOMPurify works on a DOM that is true to the standard; happy-dom's is not.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { renderMarkdown } from '../src/lib/task/markdown';

const HOSTILE: string[] = JSON.parse(readFileSync('../tests/fixtures/markdown/hostile.json', 'utf8'));
const VOCABULARY = { names: ['Анна', '<img src=x onerror=alert(1)>'], keys: ['WEB', '.*"onclick='] };
const TAGS = 'P BR HR STRONG EM DEL CODE PRE BLOCKQUOTE UL OL LI H3 H4 H5 H6 A TABLE THEAD TBODY TR TH TD SPAN'.split(
  ' ',
);
const ATTRIBUTES = ['href', 'class', 'start', 'target', 'rel'];

describe('what could do harm', () => {
  test.each(HOSTILE)('%s is text or gone', (source) => {
    const page = document.createElement('div');
    page.innerHTML = renderMarkdown(source, VOCABULARY);
    for (const element of page.querySelectorAll('*')) {
      expect(TAGS).toContain(element.tagName);
      for (const { name } of element.attributes) expect(ATTRIBUTES).toContain(name);
      if (element.hasAttribute('class')) expect(['mention', 'todo', 'task']).toContain(element.className);
    }
    for (const link of page.querySelectorAll('a[href]')) {
      expect(link.getAttribute('href')).toMatch(/^(https?:\/\/|mailto:|\/t\/WEB-\d+$)/);
    }
  });

  test('a text is as harmless when it is rendered twice', () => {
    for (const source of HOSTILE) {
      const page = document.createElement('div');
      page.innerHTML = renderMarkdown(renderMarkdown(source, VOCABULARY), VOCABULARY);
      expect(page.querySelector('script, img, iframe, style, svg, math, input, form')).toBeNull();
    }
  });
});

describe('what is meant', () => {
  test('lists, code and tables stay', () => {
    expect(renderMarkdown('- a\n- `b`')).toContain('<li><code>b</code></li>');
    expect(renderMarkdown('|a|\n|-|\n|b|')).toContain('<td>b</td>');
  });

  test('a list of things to do has boxes, ticked or not', () => {
    expect(renderMarkdown('- [x] a\n- [ ] b')).toMatch(/☑.*a.*☐.*b/s);
  });

  test('line breaks are those that were typed', () => {
    expect(renderMarkdown('a\nb')).toContain('<br>');
  });

  test('headings stand below those of the page', () => {
    expect(renderMarkdown('# a\n\n###### b')).toMatch(/<h3>a<\/h3>\s*<h6>b<\/h6>/);
  });

  test('links open elsewhere and tell nothing', () => {
    const html = renderMarkdown('https://example.org');
    expect(html).toContain('target="_blank"');
    expect(html).toContain('rel="noopener noreferrer nofollow"');
  });

  test('mentions of members are marked, the longest name first, whatever the case', () => {
    const names = ['Анна', 'Анна Петрова'];
    expect(renderMarkdown('Привет, @анна петрова!', { names })).toContain(
      '<span class="mention">@анна петрова</span>!',
    );
    expect(renderMarkdown('mail@Анна.example, @Nobody, @Аннабель', { names: ['Nobody else', 'Анна'] })).not.toContain(
      'mention',
    );
  });

  test('tasks of known projects are links that stay in this window', () => {
    const html = renderMarkdown('WEB-12, (WEB-7); not UTF-8, WEB-0, XWEB-1, /WEB-1, WEB-1a', { keys: ['WEB'] });
    expect(html.match(/href="[^"]*"/g)).toEqual(['href="/t/WEB-12"', 'href="/t/WEB-7"']);
    expect(html).not.toContain('target');
    expect(renderMarkdown('`WEB-12`', { keys: ['WEB'] })).not.toContain('href');
    expect(renderMarkdown('[see WEB-12](https://a.example)', { keys: ['WEB'] }).match(/<a /g)).toHaveLength(1);
  });

  test('a picture is a link to it', () => {
    expect(renderMarkdown('![plan](https://a.example/p.png)')).toMatch(
      /<a [^>]*href="https:\/\/a.example\/p.png"[^>]*>plan<\/a>/,
    );
  });
});
