// SPDX-License-Identifier: MIT
//
// The page elsewhere: in somebody else's frame, and saved as a file that needs nobody.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { launch, View } from './browser.ts';
import { Daemon } from './daemon.ts';
import { falling, progress, start } from './lines.ts';

describe('web/leaving', () => {
  let browser: Browser;
  let daemon: Daemon;

  before(async () => {
    browser = await launch();
    daemon = await Daemon.start();
    await daemon.push(start('a', { config: { lr: 1 } }), ...falling('a', 300));
    await daemon.push(progress('a', { loss: 0.125, note: '</script>' }));
  });
  after(async () => {
    await browser.close();
    await daemon.stop();
  });

  it('is live in the frame of a notebook on another port, without what is around a run', async (t) => {
    const src = `${daemon.url}?embed=1&run=a`;
    const server = createServer((_, response) => {
      response.setHeader('content-type', 'text/html');
      response.end(`<!doctype html><iframe src="${src}" width="900" height="600"></iframe>`);
    });
    t.after(() => server.close().closeAllConnections());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const view = await View.open(browser);
    await view.page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
    const frame = view.page.frameLocator('iframe');
    await frame.locator('.connection[data-link="websocket"]').waitFor();
    await daemon.push(progress('a', { loss: 0.0625 }));
    await frame.locator('[data-metric="loss"] dd', { hasText: '0.0625' }).waitFor();
    assert.equal(await frame.getByRole('navigation', { name: 'Runs' }).count(), 0);
    assert.equal(await frame.getByRole('button', { name: 'Stop' }).count(), 0);
    await frame.getByRole('button', { name: 'Pause' }).waitFor();
    await view.close();
  });

  it('is saved as one file, which shows the same and asks nobody', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'streamd-saved-'));
    const view = await View.open(browser, { acceptDownloads: true });
    try {
      await view.page.goto(`${daemon.url}?run=a&theme=dark`);
      await view.waitForPoints(300);
      const download = view.page.waitForEvent('download');
      await view.page.getByRole('button', { name: 'Save', exact: true }).click();
      const file = join(folder, 'saved.html');
      await (await download).saveAs(file);
      assert.equal((await download).suggestedFilename(), 'run_a.html');

      const saved = await View.open(browser, { offline: true });
      await saved.page.goto(pathToFileURL(file).href);
      await saved.page.getByText('and still since').waitFor();
      await saved.waitForMetric('loss', '0.0625');
      await saved.waitForPoints(300);
      await saved.waitForInk(0, 200);
      assert.equal(await saved.page.evaluate('document.documentElement.dataset.theme'), 'dark');
      await saved.page.keyboard.press('l');
      assert.equal(await saved.page.getByRole('button', { name: /^(Stop|Pause|Save)/ }).count(), 0);
      assert.deepEqual(saved.requests, [pathToFileURL(file).href]);
      assert.deepEqual([...saved.complaints, ...view.complaints], []);
      await saved.close();
    } finally {
      await view.close();
      await rm(folder, { recursive: true });
    }
  });
});
