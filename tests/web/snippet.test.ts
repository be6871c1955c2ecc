// SPDX-License-Identifier: MIT
//
// The classic client, as dashboards written for the reference system have it: unchanged, in Node and
// in a browser page of another origin.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { io } from 'socket.io-client';
import { launch, View } from './browser.ts';
import { Daemon } from './daemon.ts';
import { progress, start } from './lines.ts';

/** The snippet; `seen` is the test's own, for the losses it shows. */
function classic(port: number): string {
  return `
    const sessionId = 'a';
    const socket = io('ws://localhost:${port}');
    socket.on('connect', () => {
      socket.emit('subscribe_session', { sessionId });
    });
    socket.on('session_status', (data) => seen('status ' + data.status));
    socket.on('progress_update', (data) => seen(data.metrics.loss));
    socket.on('model_completed', (data) => seen('model ' + data.modelIndex));
    socket.on('training_completed', () => seen('completed'));
    return socket;
  `;
}

/** Serves a page that loads socket.io-client and nothing else, on an origin of its own. */
async function serveForeignPage(): Promise<Server> {
  const script = new URL('./node_modules/socket.io-client/dist/socket.io.min.js', import.meta.url);
  const library = await readFile(script);
  const server = createServer((request, response) => {
    const isScript = request.url === '/socket.io.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? library : '<!doctype html><script src="/socket.io.js"></script>');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

describe('web/snippet', () => {
  let browser: Browser;
  let daemon: Daemon;

  before(async () => {
    browser = await launch();
  });
  after(() => browser.close());
  beforeEach(async () => {
    daemon = await Daemon.start();
    await daemon.push(start('a'), progress('a', { loss: 2 }));
  });
  afterEach(() => daemon.stop());

  /** Pushes the rest of the run, each step once the one before was seen. */
  async function finish(sees: (what: unknown) => Promise<void>): Promise<void> {
    await sees('status running');
    await sees(2);
    for (const loss of [1.5, 1]) {
      await daemon.push(progress('a', { loss }));
      await sees(loss);
    }
    await daemon.push({ type: 'model_completed', sessionId: 'a', modelIndex: 0 });
    await sees('model 0');
    await daemon.push({ type: 'complete', sessionId: 'a' });
    await sees('completed');
  }

  it('runs unchanged in Node', async () => {
    const seen: unknown[] = [];
    let wake = () => {};
    const note = (what: unknown) => {
      seen.push(what);
      wake();
    };
    const socket = new Function('io', 'seen', classic(daemon.port))(io, note) as ReturnType<
      typeof io
    >;
    try {
      await finish(async (what) => {
        while (!seen.includes(what)) await new Promise<void>((go) => (wake = go));
      });
    } finally {
      socket.close();
    }
    assert.deepEqual(seen, ['status running', 2, 1.5, 1, 'model 0', 'completed']);
  });

  it('runs unchanged in a page of another origin', async () => {
    const server = await serveForeignPage();
    const view = await View.open(browser);
    try {
      await view.page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
      await view.page.evaluate((snippet) => {
        const shown: unknown[] = [];
        Object.assign(globalThis, { shown });
        const run = new Function('io', 'seen', snippet) as (...args: unknown[]) => void;
        run((globalThis as unknown as { io: unknown }).io, (what: unknown) => shown.push(what));
      }, classic(daemon.port));
      await finish(async (what) => {
        await view.page.waitForFunction(
          (wanted) => (globalThis as unknown as { shown: unknown[] }).shown.includes(wanted),
          what,
        );
      });
      assert.deepEqual(view.complaints, []);
    } finally {
      await view.close();
      server.close();
    }
  });
});
