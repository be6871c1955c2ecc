// SPDX-License-Identifier: MIT
//
// Who does without a mouse, without colours, or without seeing: axe-core on every face of the page, and
// a walk with the keyboard alone.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { launch, View } from './browser.ts';
import { Daemon } from './daemon.ts';
import { falling, start } from './lines.ts';

const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };
const axe = new URL('./node_modules/axe-core/axe.min.js', import.meta.url);

interface Finding {
  id: string;
  impact: string | null;
  nodes: { html: string; failureSummary?: string }[];
}

/** What axe-core takes for serious or critical, in words. */
async function serious(view: View): Promise<string[]> {
  const script = await readFile(axe, 'utf8');
  const found = await view.page.evaluate(async (text) => {
    (0, eval)(text);
    const { axe: engine } = globalThis as unknown as {
      axe: { run(options: object): Promise<{ violations: Finding[] }> };
    };
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    return (await engine.run({ runOnly: { type: 'tag', values: tags } })).violations;
  }, script);
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, nodes }) => `${id}: ${nodes.map((n) => `${n.html} ${n.failureSummary}`).join(' | ')}`,
    );
}

describe('web/access', () => {
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

  /** In the light and in the dark. */
  async function looked(options: BrowserContextOptions, address: string): Promise<string[]> {
    // The script is eval'ed in, which the page's own policy rightly refuses.
    const view = await View.open(browser, { bypassCSP: true, ...options });
    await view.page.goto(`${daemon.url}${address}`);
    await view.waitForLink('websocket');
    await view.page.locator(address === '' ? '.empty' : '[data-chart="loss"]').waitFor();
    const found = [];
    for (const theme of ['light', 'dark'] as const) {
      await view.page.emulateMedia({ colorScheme: theme });
      await view.page.locator(`html[data-theme="${theme}"]`).waitFor();
      found.push(...(await serious(view)).map((words) => `${theme}: ${words}`));
    }
    await view.close();
    return found;
  }

  it('has no serious fault when it is empty', async () => {
    assert.deepEqual(await looked({}, ''), []);
  });

  it('has no serious fault, live, compared or on a phone', async () => {
    const config = (lr: number) => ({ config: { lr, model_count: 2 } });
    await daemon.push(start('a', config(1)), ...falling('a', 30));
    await daemon.push(start('b', config(2)), ...falling('b', 30));
    await daemon.push({ type: 'fail', sessionId: 'b', error: 'out of memory' });
    assert.deepEqual(await looked({}, '?run=a'), [], 'live');
    assert.deepEqual(await looked({}, '?run=a&run=b&compare=1&group=lr'), [], 'compared');
    assert.deepEqual(await looked(PHONE, '?run=b'), [], 'phone');
  });

  it('is walked with the keyboard alone', async () => {
    await daemon.push(start('a'), ...falling('a', 30), start('b'), ...falling('b', 30));
    const view = await View.open(browser);
    const { keyboard } = view.page;
    await view.page.goto(`${daemon.url}?run=b`);
    await view.waitForPoints(30);
    await keyboard.press('j');
    await view.page.getByRole('heading', { name: 'run a' }).waitFor();
    await keyboard.press('k');
    await view.page.getByRole('heading', { name: 'run b' }).waitFor();
    for (const [key, name, value] of [
      ['l', 'log', '1'],
      ['s', 'smooth', '0.6'],
      ['x', 'x', 'relative'],
      ['t', 'theme', 'dark'],
    ] as const) {
      await keyboard.press(key);
      await view.page.waitForFunction(
        ([wanted, text]) => new URL(location.href).searchParams.get(wanted) === text,
        [name, value] as const,
      );
    }
    await keyboard.press('Space');
    await view.page.getByRole('button', { name: 'Go on' }).waitFor();
    await daemon.push(...falling('b', 20, 30));
    await keyboard.press('Space');
    await view.waitForPoints(50);
    await keyboard.press('f');
    await view.page.waitForFunction(() => document.fullscreenElement !== null);
    await keyboard.press('f');
    await view.page.waitForFunction(() => document.fullscreenElement === null);
    await keyboard.press('?');
    const help = view.page.getByRole('dialog');
    await help.waitFor();
    assert.deepEqual(
      (await help.locator('kbd').allInnerTexts()).sort(),
      ['/', '?', 'f', 'j', 'k', 'l', 's', 'space', 't', 'x'].sort(),
    );
    await keyboard.press('Escape');
    await help.waitFor({ state: 'detached' });
    await keyboard.press('/');
    await keyboard.type('run a');
    await view.page.locator('.row', { hasText: 'run b' }).waitFor({ state: 'detached' });
    await keyboard.press('Tab');
    for (let i = 0; i < 5; i++) {
      const onRow = await view.page.evaluate(() => document.activeElement?.className === 'row');
      if (onRow) break;
      await keyboard.press('Tab');
    }
    await keyboard.press('Enter');
    await view.page.getByRole('heading', { name: 'run a' }).waitFor();
    assert.deepEqual(view.complaints, []);
    await view.close();
  });
});
