// SPDX-License-Identifier: MIT
//
// A page as one file that needs nobody: the program, its looks and the daemon's answers inside, and
// a policy of its own that lets it ask no one. The nonce is what lets the program itself run.

export interface FrozenParts {
  readonly title: string;
  readonly script: string;
  readonly style: string;
  /** Whatever the program finds again under the id `frozen`. */
  readonly data: unknown;
  /** Letters and digits, made for this file. */
  readonly nonce: string;
}

export const FROZEN_ID = 'frozen';

function escapeText(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
}

/** Nothing in it ends the element that it stands in. */
function escapeScript(script: string): string {
  return script.replace(/<(\/script|!--)/gi, '\\x3c$1');
}

export function frozenFile({ title, script, style, data, nonce }: FrozenParts): string {
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    "style-src 'unsafe-inline'",
    'img-src data: blob:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const json = JSON.stringify(data).replace(/</g, '\\u003c');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeText(title)}</title>
<link rel="icon" href="data:,">
<style>${style.replace(/<\/style/gi, '<\\/style')}</style>
</head>
<body>
<div id="root"></div>
<script type="application/json" id="${FROZEN_ID}">${json}</script>
<script type="module" nonce="${nonce}">${escapeScript(script)}</script>
</body>
</html>
`;
}
