// SPDX-License-Identifier: MIT
//
// The page on a phone, in the dark, and with names that do not fit.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { launch, View } from './browser.ts';
import { Daemon } from './daemon.ts';
import { falling, start } from './lines.ts';

const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };

describe('web/phone', () => {
  let browser: Browser;
  let daemon: Daemon;

  before(async () => {
    browser = await launch();
  });
  after(() => browser.close());
  beforeEach(async () => {
    daemon = await Daemon.start();
  });
  afterEach(() => daemon.stop());

  it('does not scroll sideways at 360 px, empty or full of long names', async () => {
    const view = await View.open(browser, PHONE);
    await view.page.goto(daemon.url);
    await view.page.getByText('No runs yet').waitFor();
    assert.equal(await view.overflow(), 0);
    const id = 'x'.repeat(128);
    const config = { model_count: 3 };
    await daemon.push(start(id, { project: 'p'.repeat(80), name: 'n'.repeat(120), config }));
    await daemon.push(...falling(id, 100));
    await view.waitForPoints(100);
    await daemon.push({ type: 'fail', sessionId: id, error: 'e'.repeat(200) });
    await view.waitForStatus('failed');
    assert.equal(await view.overflow(), 0);
    await view.close();
  });

  it('shows the runs first and opens one with a tap', async () => {
    const view = await View.open(browser, PHONE);
    await daemon.push(start('a'), ...falling('a', 3), start('b'), ...falling('b', 3));
    await view.page.goto(`${daemon.url}?run=a`);
    await view.page.locator('.row', { hasText: 'run b' }).tap();
    await view.page.getByRole('heading', { name: 'run b' }).waitFor();
    const top = (selector: string) =>
      view.page.locator(selector).evaluate((element) => element.getBoundingClientRect().top);
    assert.ok((await top('.runs')) < (await top('.run')));
    await view.close();
  });

  it('is dark where the system is, chart included', async () => {
    const view = await View.open(browser, { colorScheme: 'dark' });
    await daemon.push(start('a'), ...falling('a', 100));
    await view.page.goto(`${daemon.url}?run=a`);
    await view.waitForPoints(100);
    const waitForPaper = (colour: string) =>
      view.page.waitForFunction(
        (wanted) => getComputedStyle(document.body).backgroundColor === wanted,
        colour,
      );
    await waitForPaper('rgb(19, 20, 23)');
    await view.waitForInk(0, 100);
    await view.page.emulateMedia({ colorScheme: 'light' });
    await waitForPaper('rgb(250, 250, 248)');
    await view.waitForInk(0, 100);
    await view.close();
  });
});
