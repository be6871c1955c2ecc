// SPDX-License-Identifier: MIT
//
// The client package as somebody else uses it: what was built, by its package.json, in Node.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, it } from 'node:test';
import { Daemon } from './daemon.ts';
import { progress, start } from './lines.ts';

const folder = new URL('../../web/client/', import.meta.url);
let daemon: Daemon;

before(async () => {
  daemon = await Daemon.start();
});
after(() => daemon.stop());

it('is built where its package.json says, with types, and follows a run to its end', async () => {
  const { exports } = JSON.parse(await readFile(new URL('package.json', folder), 'utf8'));
  for (const { types } of Object.values<{ types: string }>(exports)) {
    assert.match(await readFile(new URL(types, folder), 'utf8'), /export/);
  }
  const { connect } = await import(new URL(exports['.'].default, folder).href);
  await daemon.push(start('a'), progress('a', { loss: 2, step: 1 }));
  const client = connect(daemon.url.replace('http', 'ws'));
  try {
    const run = client.session('a');
    const hears = (name: string) =>
      new Promise<any>((done) => {
        const stop = run.on(name, (event: unknown) => {
          stop();
          done(event);
        });
      });
    assert.equal((await hears('progress')).metrics.named.loss, 2);
    const next = hears('progress');
    await daemon.push(progress('a', { loss: 1, step: 2 }));
    assert.equal((await next).metrics.named.loss, 1);
    const points = await run.history();
    assert.deepEqual(
      points.map((point: { step: number }) => point.step),
      [1, 2],
    );
    assert.equal(await run.control('stop', 'enough'), null);
    await daemon.waitForCommand('stop');
    const end = hears('training_completed');
    await daemon.push({ type: 'complete', sessionId: 'a' });
    await end;
    assert.equal(run.state.session.status, 'completed');
    assert.equal(await run.control('stop'), 'The run is over');
  } finally {
    client.close();
  }
});
