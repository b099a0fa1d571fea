// @vitest-environment jsdom
// DOMPurify works on a DOM that is true to the standard; happy-dom's is not.
import { describe, expect, test } from 'vitest';
import { renderMarkdown } from '../src/lib/markdown';

describe('what could do harm', () => {
  test.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '[x](javascript:alert(1))',
    '[x](data:text/html,<script>alert(1)</script>)',
    '<a href="javascript:alert(1)">x</a>',
    '![x](https://example.org/x.png)',
    '<iframe src="https://example.org"></iframe>',
    '<b style="position:fixed">x</b>',
    '@<img src=x onerror=alert(1)>',
    '<input type="text" autofocus onfocus=alert(1)>',
  ])('%s is text or gone', (source) => {
    const page = document.createElement('div');
    page.innerHTML = renderMarkdown(source, ['<img src=x onerror=alert(1)>']);
    expect(page.querySelector('script, img, iframe, style, [style], [onerror], [onfocus], input')).toBeNull();
    for (const link of page.querySelectorAll('a'))
      expect(link.getAttribute('href') ?? '').not.toMatch(/^(javascript|data):/i);
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
    expect(renderMarkdown('Привет, @анна петрова!', names)).toContain('<span class="mention">@анна петрова</span>!');
    expect(renderMarkdown('mail@Анна.example and @Nobody', ['Nobody else'])).not.toContain('mention');
  });
});
