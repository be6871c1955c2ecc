// SPDX-License-Identifier: MIT
//
// What the page does when sockets, or the daemon, go away; and that it finds back by itself.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { launch, View } from './browser.ts';
import { Daemon } from './daemon.ts';
import { Gate } from './gate.ts';
import { falling, progress, start } from './lines.ts';

const SOCKETS = '**/socket.io/**';

describe('web/fallback', () => {
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
    await daemon.push(start('a', { config: { model_count: 2 } }), progress('a', { loss: 2 }));
  });
  afterEach(async () => {
    await view.close();
    await daemon.stop();
  });

  it('goes on over HTTP while a proxy lets no socket through, and back to live by itself', async () => {
    const gate = await Gate.open(daemon.port);
    try {
      await view.page.goto(`${gate.url}?run=a`);
      await view.waitForLink('websocket');
      gate.block();
      await view.waitForLink('http');
      await view.page.getByText('HTTP fallback').waitFor();
      for (const loss of [1.5, 1.25]) {
        await daemon.push(progress('a', { loss }));
        await view.waitForMetric('loss', loss.toFixed(4));
      }
      await daemon.push({ type: 'model_completed', sessionId: 'a', modelIndex: 0 });
      await view.page.getByText('Model 1 of 2 completed').waitFor();
      await view.waitForPoints(3);
      gate.blocksSockets = false;
      await view.waitForLink('websocket');
      await daemon.push(progress('a', { loss: 1 }));
      await view.waitForMetric('loss', '1.0000');
      await view.waitForPoints(4);
    } finally {
      gate.close();
    }
  });

  it('completes a run over HTTP alone', async () => {
    await view.page.route(SOCKETS, (route) => route.abort());
    await view.page.goto(`${daemon.url}?run=a`);
    await view.waitForLink('http');
    await daemon.push({ type: 'complete', sessionId: 'a' });
    await view.waitForStatus('completed');
    await view.page.getByText('Training completed').waitFor();
  });

  it('is live over long-polling where there is no WebSocket', async () => {
    await view.page.addInitScript('delete window.WebSocket');
    await view.page.goto(`${daemon.url}?run=a`);
    await view.waitForLink('polling');
    for (const loss of [1.5, 1.25]) {
      await daemon.push(progress('a', { loss }));
      await view.waitForMetric('loss', loss.toFixed(4));
    }
    assert.equal(await view.page.getByText('HTTP fallback').count(), 0);
  });

  it('is live again after the daemon was shut down in order', async () => {
    await view.page.goto(`${daemon.url}?run=a`);
    await view.waitForLink('websocket');
    await daemon.kill('SIGTERM');
    await view.waitForLink('offline');
    await daemon.restart();
    await view.waitForLink('websocket');
  });

  it('says that the daemon is gone, keeps what it knew, and is live again after a restart', async () => {
    await daemon.push(...falling('a', 20));
    await view.page.goto(`${daemon.url}?run=a`);
    await view.waitForLink('websocket');
    await view.waitForPoints(21);
    await daemon.kill();
    await view.waitForLink('offline');
    await view.page.getByText('Offline').waitFor();
    await view.waitForPoints(21);
    await daemon.restart();
    await view.waitForLink('websocket');
    await view.page.getByText('the daemon no longer has this run').waitFor();
    await daemon.push(start('a'), progress('a', { loss: 0.75 }));
    await view.waitForMetric('loss', '0.7500');
    await view.page.locator('.plot[data-points="1"]').waitFor();
  });

  it('has every point when a daemon that keeps them was killed under it', async () => {
    const kept = await Daemon.start({ durable: true });
    const seq = (from: number) => (line: object, i: number) => ({ ...line, seq: from + i });
    try {
      await kept.push(start('a'), ...falling('a', 50).map(seq(1)));
      await view.page.goto(`${kept.url}?run=a`);
      await view.waitForLink('websocket');
      await kept.waitForAck(50);
      await view.waitForPoints(50);
      await kept.kill();
      await kept.restart();
      await kept.push(start('a', { resume: true }), ...falling('a', 50, 50).map(seq(51)));
      await view.waitForLink('websocket');
      await view.waitForPoints(100);
      await view.page.locator('.plot[data-points="100"]').first().waitFor();
      await view.waitForStatus('running');
    } finally {
      await kept.stop();
    }
  });

  it('says what is passed over live and what the daemon dropped', async () => {
    await daemon.push(progress('a', { loss: 1, note: 'text' }));
    await view.page.goto(`${daemon.url}?run=a`);
    await view.waitForLink('websocket');
    await view.page.getByText('1 values ignored').waitFor();
    const throttled = view.page.locator('.throttled').waitFor();
    let from = 0;
    let seen = false;
    void throttled.then(() => (seen = true));
    while (!seen) {
      await daemon.push(...falling('a', 40, from));
      from += 40;
      await view.waitForMetric('currentStep', String(from - 1));
    }
    assert.match(await view.page.locator('.throttled').innerText(), /points\/s, .* told live/);
  });
});
