// SPDX-License-Identifier: MIT
//
// The page of a daemon that asks for a token: the page itself is everybody's, what it shows is not.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { launch, View } from './browser.ts';
import { binary, Daemon } from './daemon.ts';
import { progress, start } from './lines.ts';

describe('web/token', () => {
  let browser: Browser;
  let daemon: Daemon;
  let folder: string;
  let token: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'streamd-web-'));
    const file = join(folder, 'tokens');
    const make = ['token', 'visitor', '--scope', 'read', '--file', file];
    token = String(execFileSync(binary, make)).trim();
    browser = await launch();
    daemon = await Daemon.start({ options: ['--token-file', file, '--require-token'] });
  });
  after(async () => {
    await browser.close();
    await daemon.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('asks for it, takes no wrong one, opens with a good one, and asks no more in this tab', async () => {
    const view = await View.open(browser);
    await daemon.push(start('a'), progress('a', { loss: 1 }));
    await view.page.goto(`${daemon.url}?run=a`);
    const field = view.page.getByLabel('Token');
    await field.fill('st_wrong');
    await field.press('Enter');
    await view.page.getByText('The last one is not known').waitFor();
    await field.fill(token);
    await field.press('Enter');
    await view.waitForLink('websocket');
    await view.page.locator('[data-chart="loss"]').waitFor();
    assert.equal(await field.count(), 0);
    await view.page.locator('[data-chart="loss"] summary').first().click();
    const [file] = await Promise.all([
      view.page.waitForEvent('download'),
      view.page.getByText('Every record (CSV)').click(),
    ]);
    assert.match(readFileSync(await file.path(), 'utf8'), /loss/);
    await view.page.reload();
    await view.waitForLink('websocket');
    assert(!view.page.url().includes(token));
    await view.close();
  });

  it('is told when it may not do something', async () => {
    const view = await View.open(browser);
    await view.page.goto(`${daemon.url}?run=a`);
    await view.page.getByLabel('Token').fill(token);
    await view.page.getByLabel('Token').press('Enter');
    await view.page.getByRole('button', { name: 'Stop', exact: true }).click();
    await view.page.getByRole('button', { name: 'Stop it', exact: true }).click();
    await view.page.getByText('The token visitor has the scope read; this needs control').waitFor();
    await view.close();
  });
});
