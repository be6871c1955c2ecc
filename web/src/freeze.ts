// SPDX-License-Identifier: MIT
//
// Saves the page as one file, and finds out whether it was one.
import { gather, textOf, type Frozen } from './transport/frozen';
import type { Fetcher } from './transport/http';
import { FROZEN_ID, frozenFile } from './ui/frozen_file';
import { saveFile } from './ui/save';

/** What is inside, when this page was saved once; null: it is live. */
export function readFrozen(): Frozen | null {
  const text = document.getElementById(FROZEN_ID)?.textContent;
  return text === undefined ? null : (JSON.parse(text) as Frozen);
}

function addressOf(selector: string, property: 'src' | 'href'): string {
  const element = document.querySelector(selector);
  return (element as unknown as Record<string, string>)[property] as string;
}

function nonce(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

export interface PageToSave {
  readonly title: string;
  readonly at: number;
  readonly search: string;
  readonly runs: readonly string[];
}

async function fileOf(
  base: URL,
  fetcher: Fetcher,
  { title, at, search, runs }: PageToSave,
): Promise<Blob> {
  const [script, style, answers] = await Promise.all([
    textOf(addressOf('script[type="module"][src]', 'src')),
    textOf(addressOf('link[rel="stylesheet"]', 'href')),
    gather(base, fetcher, runs),
  ]);
  const data: Frozen = { at, search, answers };
  return new Blob([frozenFile({ title, script, style, data, nonce: nonce() })], {
    type: 'text/html',
  });
}

/** False when the daemon does not answer: a file that lacks something is not made. */
export async function savePage(base: URL, fetcher: Fetcher, page: PageToSave): Promise<boolean> {
  try {
    const file = await fileOf(base, fetcher, page);
    saveFile(`${page.title.replace(/[^\w.-]+/g, '_')}.html`, file);
    return true;
  } catch {
    return false;
  }
}
