// SPDX-License-Identifier: MIT
//
// The page, from a first metric to the end of a run, in a real browser against the real daemon.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { launch, View } from './browser.ts';
import { Daemon } from './daemon.ts';
import { falling, progress, start } from './lines.ts';

describe('web/page', () => {
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

  it('says how to push a first metric, and what it says works', async () => {
    await view.page.goto(daemon.url);
    await view.page.getByText('No runs yet').waitFor();
    const snippet = await view.page.locator('pre code').first().innerText();
    execFileSync('sh', ['-c', snippet], { stdio: 'pipe' });
    await view.page.getByRole('heading', { name: 'first run' }).waitFor();
    await view.waitForMetric('loss', '2.5000');
    assert.equal(new URL(view.page.url()).searchParams.get('run'), 'first-run');
  });

  it('follows a run to its end', async () => {
    await daemon.push(start('a', { config: { model_count: 2 } }));
    await view.page.goto(`${daemon.url}?run=a`);
    await view.waitForLink('websocket');
    for (const loss of [2.25, 1.125, 0.5]) {
      await daemon.push(progress('a', { loss, step: 50, total_steps: 100, modelIndex: 0 }));
      await view.waitForMetric('loss', loss.toFixed(4));
    }
    await view.waitForMetric('currentStep', '50 / 100');
    await view.waitForMetric('currentModel', '1 / 2');
    await daemon.push({ type: 'model_completed', sessionId: 'a', modelIndex: 0 });
    await view.page.getByText('Model 1 of 2 completed').waitFor();
    await view.page.locator('.segments li[data-full="true"]').waitFor();
    await daemon.push({ type: 'complete', sessionId: 'a' });
    await view.page.getByText('Training completed').waitFor();
    await view.waitForStatus('completed');
    assert.equal(await view.page.locator('[data-metric="overallProgress"]').innerText(), '100.0 %');
  });

  it('draws the line from history and goes on with what is live', async () => {
    await daemon.push(start('a'), ...falling('a', 300));
    await view.page.goto(`${daemon.url}?run=a`);
    await view.waitForPoints(300);
    await view.waitForLink('websocket');
    await daemon.push(...falling('a', 1, 300));
    await view.waitForPoints(301);
    await view.waitForInk(0, 200);
    await view.waitForInk(1, 200);
  });

  it('fills from history what live updates passed over', async () => {
    await daemon.push(start('a'));
    await view.page.goto(`${daemon.url}?run=a`);
    await view.waitForLink('websocket');
    for (let from = 0; from < 1000; from += 100) await daemon.push(...falling('a', 100, from));
    await view.waitForPoints(1000);
  });

  it('marks what the daemon worked out', async () => {
    const mark = (name: string) => view.page.locator(`[data-metric="${name}"] .derived`);
    await daemon.push(start('a'));
    await view.page.goto(`${daemon.url}?run=a`);
    await view.waitForStatus('starting');
    await view.waitForLink('websocket');
    await daemon.push(progress('a', { loss: 1, perplexity: 3 }));
    await view.waitForMetric('perplexity', '3.0000');
    await mark('grokProgress').waitFor();
    await mark('perplexity').waitFor({ state: 'detached' });
    await mark('loss').waitFor({ state: 'detached' });
  });

  it('shows a diverged loss for what it is', async () => {
    await daemon.push(start('a'), progress('a', { loss: 1 }), progress('a', { loss: 'NaN' }));
    await view.page.goto(`${daemon.url}?run=a`);
    await view.waitForMetric('loss', 'NaN');
    await view.page.locator('[data-alerts]', { hasText: 'Loss is NaN' }).waitFor();
  });

  it('tells why a run failed', async () => {
    await daemon.push(start('a'), progress('a', { loss: 1 }));
    await view.page.goto(`${daemon.url}?run=a`);
    await view.waitForLink('websocket');
    await daemon.push({ type: 'fail', sessionId: 'a', error: 'out of memory <b>' });
    await view.page.locator('.status', { hasText: 'out of memory <b>' }).waitFor();
    await view.waitForStatus('failed');
  });

  it('lists runs as they start and end, and opens the one that is asked for', async () => {
    await daemon.push(start('a'), progress('a', { loss: 1 }));
    await view.page.goto(daemon.url);
    await view.waitForMetric('loss', '1.0000');
    await view.waitForLink('websocket');
    await daemon.push(start('b'), progress('b', { loss: 2 }));
    await view.page.locator('.row', { hasText: 'run b' }).click();
    await view.waitForMetric('loss', '2.0000');
    assert.equal(new URL(view.page.url()).searchParams.get('run'), 'b');
    await daemon.push({ type: 'complete', sessionId: 'a' });
    await view.page.locator('.row', { hasText: 'run a' }).getByText('Completed').waitFor();
    await view.page.goBack();
    await view.waitForMetric('loss', '1.0000');
  });

  it('begins a new line when an id is used again', async () => {
    await daemon.push(start('a'), ...falling('a', 40), { type: 'complete', sessionId: 'a' });
    await view.page.goto(`${daemon.url}?run=a`);
    await view.waitForStatus('completed');
    await view.waitForPoints(40);
    await view.waitForLink('websocket');
    await daemon.push(start('a'), progress('a', { loss: 1.875, step: 1 }));
    await view.waitForMetric('loss', '1.8750');
    await view.waitForStatus('running');
    await view.page.locator('.plot[data-points="1"]').waitFor();
    await view.page.reload();
    await view.page.locator('.plot[data-points="1"]').waitFor();
  });

  it('waits for a run that does not exist yet', async () => {
    await view.page.goto(`${daemon.url}?run=later`);
    await view.page.getByText('The daemon knows no run of this name').waitFor();
    await view.waitForLink('websocket');
    await daemon.push(start('later'), progress('later', { loss: 1.75 }));
    await view.waitForMetric('loss', '1.7500');
  });

  it('asks no other host and has nothing to complain of', async () => {
    await daemon.push(start('a'), ...falling('a', 50));
    await view.page.goto(daemon.url);
    await view.waitForLink('websocket');
    await view.waitForPoints(50);
    const hosts = new Set(view.requests.map((url) => new URL(url).host));
    assert.deepEqual(hosts, new Set([new URL(daemon.url).host]));
    assert.deepEqual(view.complaints, []);
  });
});
