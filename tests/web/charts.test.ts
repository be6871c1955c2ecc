// SPDX-License-Identifier: MIT
//
// The charts, and the address that holds how they are looked at.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
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
    const sentence = 'loss: last 1.0200, falling; best 1.0200 at step 99; from 1.0200 to 3.0000.';
    await view.page.getByText(sentence).waitFor();
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
    await view.page.getByRole('button', { name: 'Table of values' }).click();
    await view.page.getByRole('cell', { name: '2.5000' }).waitFor();
  });

  it('gives a chart away as a picture and as numbers, and shows it large', async () => {
    await daemon.push(start('a'), ...falling('a', 20));
    await view.page.goto(`${daemon.url}?run=a`);
    await view.waitForPoints(20);
    const save = async (item: string) => {
      await view.page.locator('[data-chart="loss"] summary').click();
      const download = view.page.waitForEvent('download');
      await view.page.getByRole('button', { name: item }).or(view.page.getByText(item)).click();
      const file = await download;
      return [file.suggestedFilename(), await readFile(await file.path())] as const;
    };
    const [pictureName, picture] = await save('Picture (PNG)');
    assert.equal(pictureName, 'a-loss.png');
    assert.equal(picture.subarray(1, 4).toString(), 'PNG');
    assert.ok(picture.readUInt32BE(16) > 600, 'as wide as the chart');
    const [csvName, csv] = await save('Points in view (CSV)');
    assert.equal(csvName, 'a-loss.csv');
    const rows = csv.toString().split('\r\n');
    assert.match(rows[1] ?? '', /^a,loss,1,0,\d+\.\d+,2\.5$/);
    assert.equal(rows.filter((row) => row.startsWith('a,loss,')).length, 20);
    assert.equal(rows.filter((row) => row.startsWith('a,val_loss,')).length, 20);
    const [, json] = await save('Points in view (JSON)');
    assert.equal(JSON.parse(json.toString()).lines[0].value.length, 20);
    const [, every] = await save('Every record (CSV)');
    assert.equal(every.toString().trim().split('\r\n').length, 21);
    await view.page.keyboard.press('f');
    await view.page.waitForFunction(() => document.fullscreenElement?.matches('.chart'));
    assert.deepEqual(view.complaints, []);
  });

  it('reads its points to the keyboard, and zooms with it', async () => {
    await daemon.push(start('a'), ...falling('a', 20), start('b'));
    for (let step = 0; step < 20; step++) await daemon.push(progress('b', { loss: 1, step }));
    await view.page.goto(`${daemon.url}?run=a&run=b`);
    await view.waitForPoints(40);
    const chart = view.page.locator('[data-chart="loss"]');
    const voice = chart.locator('[aria-live="polite"]');
    await chart.getByRole('application').focus();
    for (const [key, words] of [
      ['Home', 'step 0: run a 2.5000'],
      ['ArrowRight', 'step 1: run a 2.4875'],
      ['ArrowDown', 'step 1: run b 1.0000'],
      ['End', 'step 19: run b 1.0000'],
      ['PageUp', 'step 9: run b 1.0000'],
    ] as const) {
      await view.page.keyboard.press(key);
      await voice.filter({ hasText: words }).waitFor({ state: 'attached' });
    }
    await chart.locator('.tip').getByText('run b').waitFor();
    await view.page.keyboard.press('+');
    await view.page.waitForFunction(() => new URL(location.href).searchParams.has('zoom'));
    assert.equal(view.asked('zoom'), '4.5~14');
    await view.page.keyboard.press('-');
    await view.page.getByText('Show everything').waitFor({ state: 'detached' });
    await view.page.keyboard.press('Escape');
    await chart.locator('.tip').waitFor({ state: 'hidden' });
  });

  it('lets superseded points go at a rewind, and is the same for who comes later', async () => {
    // Two models, and more records than are kept; then the second goes back.
    await daemon.push(start('a', { config: { model_count: 2 } }));
    const model = (number: number, from: number, to: number, loss: number) =>
      Array.from({ length: to - from }, (_, i) => {
        const noise = Math.sin((from + i) * 12.9898) / 5;
        return progress('a', { loss: loss + noise, step: from + i, current_model: number });
      });
    await daemon.push(...model(1, 0, 2000, 3));
    await view.page.goto(`${daemon.url}?run=a`);
    await view.waitForLink('websocket');
    await view.waitForPoints(500);
    await daemon.push(...model(2, 0, 1000, 2), ...model(2, 1000, 1999, 900));
    await daemon.push(progress('a', { loss: 999, step: 1999, current_model: 2 }));
    await view.waitForMetric('loss', '999.0000');
    await view.page.getByText('to 999.0000').waitFor();
    await daemon.push({ type: 'start', sessionId: 'a', resume: true });
    await daemon.push(...model(2, 1000, 1200, 1));
    await view.page.getByText(/loss: last .* to 3\.(19|20)\d\d\./).waitFor();
    await daemon.push({ type: 'complete', sessionId: 'a' });
    const later = await View.open(browser);
    await later.page.goto(`${daemon.url}?run=a`);
    await later.waitForPoints(500);
    const picture = (page: Page) =>
      page.evaluate(() => document.querySelector<HTMLCanvasElement>('canvas')?.toDataURL());
    await later.waitForInk(0, 50);
    const drawn = await picture(later.page);
    await view.page.waitForFunction(
      (wanted) => document.querySelector<HTMLCanvasElement>('canvas')?.toDataURL() === wanted,
      drawn,
    );
    assert.equal(await picture(later.page), drawn);
    await later.close();
  });

  it('lies along the epochs of a run that says them, also after a reload', async () => {
    await daemon.push(start('a'));
    for (let step = 0; step < 40; step++) {
      await daemon.push(progress('a', { loss: 1, step, epoch: Math.floor(step / 10) }));
    }
    await view.page.goto(`${daemon.url}?run=a`);
    await view.waitForPoints(40);
    await view.page.getByRole('button', { name: 'Epoch' }).click();
    assert.equal(view.asked('x'), 'epoch');
    await view.page.getByText('loss: last 1.0000, steady; best 1.0000 at epoch 0.00').waitFor();
    await view.page.reload();
    await view.page.getByText('best 1.0000 at epoch 0.00').waitFor();
  });
});
