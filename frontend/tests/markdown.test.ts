// @vitest-environment jsdom
// What is taken out of a text is read by a DOM that is true to the standard; happy-dom's is not.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { renderMarkdown } from '../src/lib/task/markdown';
import { sanitize } from '../src/lib/task/sanitize';

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

/** Whatever the renderer before it lets through. */
describe('HTML that is taken over', () => {
  test.each(HOSTILE)('of %s holds what is on the list alone', (source) => {
    const page = document.createElement('div');
    const once = sanitize(source);
    page.innerHTML = once;
    for (const element of page.querySelectorAll('*')) {
      expect(TAGS).toContain(element.tagName);
      for (const { name } of element.attributes) expect(ATTRIBUTES).toContain(name);
      expect(element.getAttribute('href') ?? 'https://').toMatch(/^(https?:\/\/|mailto:|\/t\/)/);
    }
    expect(sanitize(once)).toBe(once);
  });

  test.each([
    ['<p onclick="x()">a</p>', '<p>a</p>'],
    ['<p constructor="a" style="color: red" data-a="b">a</p>', '<p>a</p>'],
    ['<p class="mention evil">a</p>', '<p>a</p>'],
    ['<svg><p><style><a title="</style><img src=x onerror=x()>"></svg>b', '<p>"&gt;b</p>'],
    ['<math><mtext><table><mglyph><style><img src=x onerror=x()>', ''],
    ['<form><input name="attributes"><p>a</p></form>', ''],
    ['<template><p>a</p></template><iframe><p>b</p></iframe><!-- c -->d', 'd'],
    ['<ol start="3" href="https://a"><li>a</li></ol>', '<ol start="3"><li>a</li></ol>'],
    ['<ol start="x"></ol>', '<ol></ol>'],
    [
      '<a href="/t/WEB-1">a</a><a href="/t/WEB-1/x">',
      '<a href="/t/WEB-1">a</a><a target="_blank" rel="noopener noreferrer nofollow"></a>',
    ],
    ['&lt;script&gt;', '&lt;script&gt;'],
  ])('%s', (given, left) => {
    expect(sanitize(given)).toBe(left);
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
