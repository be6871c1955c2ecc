// SPDX-License-Identifier: MIT
//
// The update of a tick to many watchers at once, by io_uring, without it, and by several threads.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Daemon } from './daemon.ts';
import { Plain } from './plain.ts';
import { connect } from './socketio.ts';
import { steps, training } from './trainer.ts';

const WATCHERS = 60;
const UPDATES = 20;

for (const options of [[], ['--no-io-uring'], ['--senders', '2']]) {
  test(`everybody gets every update: ${options.join(' ') || 'by default'}`, async (t) => {
    const daemon = await Daemon.start(t, '--max-rate', '1000', ...options);
    const trainer = await training(daemon, 'a');
    const watchers: (Plain | Awaited<ReturnType<typeof connect>>)[] = [];
    for (let i = 0; i < WATCHERS; i++) {
      const perMessageDeflate = i % 2 === 0;
      watchers.push(await Plain.open(daemon, '/ws?sessionId=a', { perMessageDeflate }));
    }
    const io = await connect(daemon, { transports: ['websocket'] });
    await io.ask('subscribe_session', { sessionId: 'a' });
    watchers.push(io);
    for (let step = 1; step <= UPDATES; step++) {
      await trainer.push(...steps('a', 1, step));
      for (const watcher of watchers) {
        const update = await watcher.named('progress_update');
        assert.equal(update.metrics.currentStep, step);
      }
    }
    const batches = await daemon.counter('send_batches');
    if (options.includes('--no-io-uring') || /no io_uring/.test(daemon.log)) assert.equal(batches, 0);
    else assert(batches >= UPDATES - 2 && batches < 3 * UPDATES, `${batches} batches`);
    assert.equal(await daemon.counter('peers'), WATCHERS + 1);
  });
}
