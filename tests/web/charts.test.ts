// SPDX-License-Identifier: MIT
//
// The charts, and the address that holds how they are looked at.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { launch, View } from './browser.ts';
import { Daemon } from './daemon.ts';
import { falling, progress, start } from './lines.ts';

describe('web/charts', () => {
  let browser: Browser;
  let daemon: Daemon;
  let view: View;

  before(async () => {
    browser = await launch();
  });
  after(() => browser.close());
  beforeEach(async () => {
    daemon = await Daemon.start();
    view = await View.open(browser);
  });
  afterEach(async () => {
    await view.close();
    await daemon.stop();
  });

  /** Drags across a part of the loss chart, from and to in shares of its width. */
  async function drag(from: number, to: number): Promise<void> {
    const box = await view.page.locator('[data-chart="loss"] .u-over').boundingBox();
    assert.ok(box);
    const y = box.y + box.height / 2;
    await view.page.mouse.move(box.x + box.width * from, y);
    await view.page.mouse.down();
    await view.page.mouse.move(box.x + box.width * ((from + to) / 2), y);
    await view.page.mouse.move(box.x + box.width * to, y);
    await view.page.mouse.up();
  }

  it('has a chart a metric, grouped by the prefix, and draws those in sight', async () => {
    const metrics = (step: number) => ({
      loss: 3 - step / 50,
      norm: 0.1,
      val: { acc: step / 100 },
    });
    await daemon.push(start('a'));
    for (let step = 0; step < 100; step++) {
      await daemon.push(progress('a', { ...metrics(step), step }));
    }
    await view.page.goto(`${daemon.url}?run=a`);
    await view.waitForPoints(100);
    const names = await view.page.locator('.chart h4').allInnerTexts();
    assert.deepEqual(names, ['loss', 'norm', 'val/acc']);
    await view.page.getByRole('heading', { name: 'val', exact: true }).waitFor();
    await view.page.locator('[data-chart="val/acc"]').scrollIntoViewIfNeeded();
    await view.waitForInk(0, 50, 'val/acc');
    await view.page.getByText('last 1.0200, falling; lowest 1.0200, highest 3.0000.').waitFor();
  });

  it('zooms with a drag, asks for raw points, and is the same after a reload', async () => {
    await daemon.push(start('a'));
    for (let from = 0; from < 20_000; from += 500) await daemon.push(...falling('a', 500, from));
    await view.page.goto(`${daemon.url}?run=a`);
    await view.waitForPoints(500);
    const pointsNow = () =>
      view.page.locator('[data-chart="loss"] .plot').getAttribute('data-points').then(Number);
    const before = await pointsNow();
    const raw = view.page.waitForRequest((request) => /history.*[?&]from=/.test(request.url()));
    await drag(0.25, 0.3);
    await raw;
    await view.waitForPoints(before + 300);
    const zoom = view.asked('zoom');
    assert.match(zoom ?? '', /^[\d.]+~[\d.]+$/);
    await view.page.reload();
    await view.waitForPoints(before + 300);
    assert.equal(view.asked('zoom'), zoom);
    await view.page.getByText('Show everything').waitFor();
    await view.page.locator('[data-chart="loss"] .u-over').dblclick();
    await view.page.getByText('Show everything').waitFor({ state: 'detached' });
    assert.equal(view.asked('zoom'), null);
  });

  it('overlays two runs, tells both under the cursor, the nearest first', async () => {
    await daemon.push(start('a'), start('b'));
    for (let step = 0; step < 30; step++) {
      await daemon.push(progress('a', { loss: 1, step }), progress('b', { loss: 3, step }));
    }
    await view.page.goto(`${daemon.url}?run=a`);
    await view.page.getByLabel('Draw run b').check();
    await view.waitForPoints(60);
    await view.waitForInk(0, 50);
    await view.waitForInk(1, 50);
    const box = await view.page.locator('[data-chart="loss"] .u-over').boundingBox();
    assert.ok(box);
    const tip = view.page.locator('[data-chart="loss"] .tip');
    for (const [share, first] of [
      [0.05, 'run b'],
      [0.95, 'run a'],
    ] as const) {
      await view.page.mouse.move(box.x + box.width / 2, box.y + box.height * share);
      await tip.locator('div:nth-child(2)', { hasText: first }).waitFor();
    }
    await tip.getByText('3.0000').waitFor();
    assert.deepEqual(new URL(view.page.url()).searchParams.getAll('run'), ['a', 'b']);
    await view.page.reload();
    await view.waitForInk(1, 50);
  });

  it('goes on while it is live, and holds still while it is paused', async () => {
    await daemon.push(start('a'), ...falling('a', 5));
    await view.page.goto(`${daemon.url}?run=a`);
    await view.waitForPoints(5);
    await view.waitForLink('websocket');
    await view.page.keyboard.press('Space');
    await view.page.getByRole('button', { name: 'Go on' }).waitFor();
    await daemon.push(progress('a', { loss: 0.125, step: 9 }));
    await view.page.waitForTimeout(600);
    assert.equal(await view.page.getByText('0.1250').count(), 0);
    await view.page.keyboard.press('Space');
    await view.waitForMetric('loss', '0.1250');
    await view.waitForPoints(6);
  });

  it('is driven by the keyboard alone', async () => {
    await daemon.push(start('a'), ...falling('a', 9), start('b'), ...falling('b', 9));
    await view.page.goto(`${daemon.url}?run=b`);
    await view.waitForPoints(9);
    const keys = view.page.keyboard;
    for (const [key, name, value] of [
      ['l', 'log', '1'],
      ['s', 'smooth', '0.6'],
      ['x', 'x', 'relative'],
      ['t', 'theme', 'dark'],
      ['j', 'run', 'a'],
      ['k', 'run', 'b'],
    ] as const) {
      await keys.press(key);
      await view.page.waitForFunction(
        ([wanted, text]) => new URL(location.href).searchParams.get(wanted) === text,
        [name, value] as const,
      );
    }
    await keys.press('?');
    await view.page.getByRole('dialog').waitFor();
    await keys.press('Escape');
    await view.page.getByRole('dialog').waitFor({ state: 'detached' });
    await keys.press('/');
    await keys.type('run a');
    await view.page.locator('.row', { hasText: 'run b' }).waitFor({ state: 'detached' });
    assert.equal(view.asked('q'), 'run a');
    await keys.press('Escape');
    await keys.press('t');
    assert.deepEqual(view.complaints, []);
  });

  it('pins a run, which stays so', async () => {
    await daemon.push(start('a'), ...falling('a', 3), start('b'), ...falling('b', 3));
    await view.page.goto(`${daemon.url}?run=a`);
    await view.page.getByLabel('Pin run a').click();
    await view.page.locator('.pin[aria-pressed="true"]').waitFor();
    await view.page.reload();
    await view.page.locator('.row-box:first-child', { hasText: 'run a' }).waitFor();
    await view.page.locator('.pin[aria-pressed="true"]').waitFor();
  });

  it('has a table on demand, and the charts alone inside another page', async () => {
    await daemon.push(start('a'), ...falling('a', 3));
    await view.page.goto(`${daemon.url}?run=a&embed`);
    await view.waitForPoints(3);
    assert.equal(await view.page.locator('.runs').count(), 0);
    await view.page.locator('[data-chart="loss"] summary').click();
    await view.page.getByRole('cell', { name: '2.5000' }).waitFor();
  });
});
