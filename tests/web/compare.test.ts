// SPDX-License-Identifier: MIT
//
// Several runs at once: grouped by what they were configured with, drawn together, compared.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { launch, View } from './browser.ts';
import { Daemon } from './daemon.ts';
import { progress, start } from './lines.ts';

describe('web/compare', () => {
  let browser: Browser;
  let daemon: Daemon;
  let view: View;

  before(async () => {
    browser = await launch();
    daemon = await Daemon.start();
    view = await View.open(browser);
    for (const [id, lr, loss] of [
      ['a', 0.1, 2],
      ['b', 0.02, 1],
      ['c', 0.1, 4],
    ] as const) {
      const config = { opt: { lr }, seed: 1 };
      await daemon.push(start(id, { config }), progress(id, { loss, step: 1 }));
    }
  });
  after(async () => {
    await view.close();
    await browser.close();
    await daemon.stop();
  });

  it('groups, draws a group, compares it and chooses what to compare with', async () => {
    await view.page.goto(`${daemon.url}?run=b`);
    await view.page.getByLabel('Group by').selectOption('opt.lr');
    const heads = view.page.locator('.group-head h3');
    await heads.nth(1).waitFor();
    assert.deepEqual(await heads.allInnerTexts(), ['opt.lr = 0.02 1', 'opt.lr = 0.1 2']);
    await view.page.getByRole('button', { name: 'Draw all with opt.lr = 0.1' }).click();
    await view.page.getByText('3 drawn').waitFor();
    await view.page.getByRole('button', { name: 'Compare', exact: true }).click();
    const table = view.page.locator('.compare table');
    await table.getByText('+1 (+100.0 %) worse').first().waitFor();
    assert.equal(await table.getByText('seed').count(), 0);
    await view.page.getByLabel('All of their configuration').check();
    await table.getByText('seed').waitFor();
    await view.page.getByRole('button', { name: 'Compare with run a' }).click();
    await table.getByText('−1 (−50.0 %) better').first().waitFor();
    const address = view.page.url();
    await view.page.reload();
    await table.getByText('−1 (−50.0 %) better').first().waitFor();
    assert.equal(view.page.url(), address);
    await view.page.getByRole('button', { name: 'Back to one run' }).click();
    await view.page.getByRole('heading', { name: 'run b' }).waitFor();
    assert.deepEqual(view.complaints, []);
  });
});
