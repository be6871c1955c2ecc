// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { frozenFile } from './frozen_file';

const parts = {
  title: 'a < b & c',
  script: 'const a = "</script><!--";',
  style: 'p { color: red }',
  data: { name: '</script><script>alert(1)</script>' },
  nonce: 'abc',
};

describe('ui/frozen_file', () => {
  it('lets nothing out of the element that it stands in', () => {
    const html = frozenFile(parts);
    expect(html.match(/<\/script/g)).toHaveLength(2);
    expect(html).not.toContain('<!--');
    expect(html).toContain('<title>a &lt; b &amp; c</title>');
    const json = /id="frozen">(.*)<\/script>/.exec(html)?.[1] ?? '';
    expect(JSON.parse(json)).toEqual(parts.data);
    const script = /nonce="abc">(.*)<\/script>/.exec(html)?.[1] ?? '';
    expect(script).toBe(String.raw`const a = "\x3c/script>\x3c!--";`);
  });

  it('asks nobody', () => {
    expect(frozenFile(parts)).toContain("content=\"default-src 'none'; script-src 'nonce-abc';");
  });
});
