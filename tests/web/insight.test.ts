// SPDX-License-Identifier: MIT
//
// What a run means, as the page says it: live, after a reload, and after the daemon was started again.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { launch, View } from './browser.ts';
import { Daemon } from './daemon.ts';
import { progress, start } from './lines.ts';

/** Epochs of a run that learns fast and then hardly at all. */
function epochs(sessionId: string, from: number, to: number, more: object = {}): object[] {
  return Array.from({ length: to - from }, (_, i) => {
    const epoch = from + i;
    const val_loss = epoch < 12 ? 2 * Math.exp(-epoch / 5) + 0.2 : 0.3814 + epoch * 1e-6;
    const loss = val_loss - 0.05;
    const metrics = { loss, val_loss, epoch, step: epoch * 100, total_steps: 6000, ...more };
    return progress(sessionId, metrics);
  });
}

describe('web/insight', () => {
  let browser: Browser;
  let daemon: Daemon;
  let view: View;

  before(async () => {
    browser = await launch();
  });
  after(() => browser.close());
  beforeEach(async () => {
    daemon = await Daemon.start({ durable: true });
    view = await View.open(browser);
  });
  afterEach(async () => {
    await view.close();
    await daemon.stop();
  });

  const phase = (name: string) => view.page.locator(`.meaning [data-phase="${name}"]`);
  const announced = (text: string) => view.page.locator('[data-announced]', { hasText: text });
  const chip = (text: string) => view.page.locator('.row .phase', { hasText: text });

  it('follows the phases as they change, and shows the same after a reload', async () => {
    await daemon.push(start('a', { config: { epochs: 60 } }));
    await view.page.goto(`${daemon.url}?run=a`);
    await view.waitForLink('websocket');
    assert.equal(await phase('').count(), 1);
    // One after the other as they are seen: time to come is reckoned from time that has passed.
    for (let epoch = 1; epoch < 7; epoch++) {
      await daemon.push(...epochs('a', epoch, epoch + 1));
      await view.waitForMetric('currentStep', `${epoch}00 /`);
    }
    await phase('LEARNING_FAST').waitFor();
    await chip('Learning fast').waitFor();
    const eta = view.page.locator('[data-metric="eta"]');
    await eta.filter({ hasText: /\d.*(Low|Medium|High)/s }).waitFor();
    await announced('Learning fast').waitFor();
    await daemon.push(...epochs('a', 7, 40));
    await phase('PLATEAU').waitFor();
    await announced('Plateau').waitFor();
    await view.page.locator('.legend', { hasText: 'LF Learning fast' }).waitFor();
    await view.page.locator('.phases li', { hasText: 'Plateau' }).waitFor();
    await view.page.locator('.alerts li').first().waitFor();
    const said = async () => [
      await view.page.locator('.meaning').innerText(),
      await view.page.locator('.phases').innerText(),
      await view.page.locator('[data-metric="best"]').innerText(),
    ];
    const live = await said();
    await view.page.reload();
    await view.page.locator('.alerts li').first().waitFor();
    assert.deepEqual(await said(), live);
    assert.deepEqual(view.complaints, []);
  });

  it('tells of a loss that is no number at once, politely, and lets the alert be put away', async () => {
    await daemon.push(start('a'), ...epochs('a', 1, 12));
    await view.page.goto(`${daemon.url}?run=a`);
    await view.waitForLink('websocket');
    await phase('LEARNING_FAST').waitFor();
    await daemon.push(progress('a', { loss: 'NaN', epoch: 12, step: 1200 }));
    const alert = view.page.locator('.alerts .critical', { hasText: 'Critical: Divergence' });
    await alert.waitFor();
    await phase('DIVERGING').waitFor();
    await announced('Diverging. Divergence').waitFor();
    assert.equal(await announced('').getAttribute('aria-live'), 'polite');
    await view.page.getByRole('button', { name: 'Put away: Divergence' }).click();
    await alert.waitFor({ state: 'detached' });
    assert.equal(view.asked('seen'), 'divergence@1200');
  });

  it('knows the phase of a finished run after the daemon was started again', async () => {
    await daemon.push({ ...start('a', { config: { epochs: 20 } }), seq: 1 });
    await daemon.push(...epochs('a', 1, 20), { type: 'complete', sessionId: 'a', seq: 2 });
    await daemon.waitForAck(2);
    await daemon.kill();
    await daemon.restart();
    await view.page.goto(`${daemon.url}?run=a`);
    await view.waitForStatus('completed');
    await phase('CONVERGED').waitFor();
    await view.page.locator('.phases li', { hasText: 'Learning fast' }).waitFor();
  });

  it('draws the phases behind the curves until they are switched off', async () => {
    await daemon.push(start('a'), ...epochs('a', 1, 40));
    await view.page.goto(`${daemon.url}?run=a`);
    await view.page.locator('.legend').waitFor();
    await view.waitForPoints(39);
    /** How many pixels of the first chart are not its background, at its top edge where labels are. */
    const ink = () =>
      view.page.evaluate(() => {
        const canvas = document.querySelector<HTMLCanvasElement>('.plot canvas');
        const data = canvas?.getContext('2d')?.getImageData(80, 8, canvas.width - 120, 14).data;
        return data?.reduce((n, byte, i) => n + (i % 4 === 3 && byte > 0 ? 1 : 0), 0) ?? 0;
      });
    const on = await ink();
    await view.page.getByLabel('Phases', { exact: true }).uncheck();
    await view.page.locator('.legend').waitFor({ state: 'detached' });
    assert.equal(view.asked('bands'), '0');
    const off = await ink();
    assert.ok(on > 2 * off, `${on} pixels with phases, ${off} without`);
  });
});
