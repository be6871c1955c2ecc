// SPDX-License-Identifier: MIT
//
// The stop button: in two steps, with the keyboard alone, and never saying more than is known.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { launch, View } from './browser.ts';
import { Daemon } from './daemon.ts';
import { progress, start } from './lines.ts';

describe('web/stop', () => {
  let browser: Browser;
  let daemon: Daemon;
  let view: View;
  const button = (name: string) => view.page.getByRole('button', { name, exact: true });

  before(async () => {
    browser = await launch();
    daemon = await Daemon.start();
  });
  after(async () => {
    await browser.close();
    await daemon.stop();
  });
  beforeEach(async () => {
    view = await View.open(browser);
  });
  afterEach(() => view.close());

  it('asks first, tells the trainer, and says so until the run is over', async () => {
    await daemon.push(start('a'), progress('a', { loss: 1 }));
    await view.page.goto(`${daemon.url}?run=a`);
    await view.waitForLink('websocket');
    await button('Stop').focus();
    await view.page.keyboard.press('Enter');
    await view.page.keyboard.press('Escape');
    await button('Stop it').waitFor({ state: 'detached' });
    await view.page.waitForFunction(() => document.activeElement?.textContent === 'Stop');
    await view.page.keyboard.press('Enter');
    await button('Stop it').waitFor();
    await view.page.keyboard.press('Enter');
    await daemon.waitForCommand('stop');
    await view.page.getByText('Stopping …').waitFor();
    await view.waitForStatus('running');
    await daemon.push({ type: 'complete', sessionId: 'a' });
    await view.waitForStatus('completed');
    await button('Stop').waitFor({ state: 'detached' });
    assert.equal(await view.page.getByText('Stopping …').count(), 0);
  });

  it('shows what was asked for elsewhere, and what its trainer makes of it', async () => {
    await daemon.push(start('c'), progress('c', { loss: 1 }));
    await view.page.goto(`${daemon.url}?run=c`);
    await view.waitForLink('websocket');
    const body = JSON.stringify({ command: 'stop', reason: 'by an agent' });
    const headers = { 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body };
    const told = await (await fetch(`${daemon.url}api/training/control/c`, init)).json();
    await view.page.getByText('Stopping … the trainer was told').waitFor();
    await view.page.getByText('Stop: told (by an agent)').waitFor();
    await daemon.push({ type: 'answer', sessionId: 'c', id: told.order.id, outcome: 'accepted' });
    await view.page.getByText('Stopping … the trainer has agreed').waitFor();
    await view.page.reload();
    await view.page.getByText('Stopping … the trainer has agreed').waitFor();
    await daemon.push({ type: 'complete', sessionId: 'c' });
    await view.waitForStatus('completed');
  });

  it('says why nobody was told', async () => {
    const lines = [start('b'), progress('b', { loss: 1 })];
    const body = lines.map((line) => JSON.stringify(line)).join('\n');
    const headers = { 'content-type': 'application/x-ndjson' };
    await fetch(`${daemon.url}api/training/ingest`, { method: 'POST', headers, body });
    await view.page.goto(`${daemon.url}?run=b`);
    await button('Stop').click();
    await button('Stop it').click();
    await view.page.getByText('Not stopped: No trainer of this session is connected').waitFor();
    await button('Stop again').waitFor();
  });
});
