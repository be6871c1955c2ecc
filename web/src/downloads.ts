// SPDX-License-Identifier: MIT
//
// A link that is followed carries no token, so where there is one the file is fetched with it.
import type { Key } from './transport/key';
import { saveFile } from './ui/save';

async function download(key: Key, link: HTMLAnchorElement): Promise<void> {
  const response = await key.fetch(new URL(link.href));
  if (response.ok) saveFile(link.download, await response.blob());
}

export function listenForDownloads(key: Key): void {
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element && event.target.closest('a[download]');
    if (key.token === null || !(link instanceof HTMLAnchorElement)) return;
    if (!link.href.startsWith(`${location.origin}/`)) return;
    event.preventDefault();
    void download(key, link);
  });
}
