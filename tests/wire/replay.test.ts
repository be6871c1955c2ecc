// SPDX-License-Identifier: MIT
//
// `since` while lines keep coming: what was missed from history, then what is live, and at the seam
// neither a gap nor a repeat. The trainer sends the next line when a watcher has seen the one before,
// so that every record is an update of its own and each watcher must see each offset. Only what the
// daemon itself counts as superseded may be missing: a watcher whose machine was slow for a moment
// has been sent the newest instead.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Daemon } from './daemon.ts';
import { EventStream } from './event_stream.ts';
import { Plain } from './plain.ts';
import { connect } from './socketio.ts';
import { steps, training, type Trainer } from './trainer.ts';

const missed = 500;
const total = 900;

/** Where a watcher stands: the offsets that it has seen, and how to wait for the last. */
interface Watcher {
  offsets(): number[];
  sawLast(): Promise<unknown>;
}

/** Pushes until `total`, each step when the pacer has seen the one before; `at` is told each. */
async function train(daemon: Daemon, trainer: Trainer, at: (step: number) => void): Promise<void> {
  const pacer = await Plain.open(daemon, '/ws?sessionId=a', { perMessageDeflate: false });
  await pacer.named('progress_update');
  for (let step = missed + 1; step <= total; step++) {
    trainer.send(...steps('a', 1, step));
    await pacer.named('progress_update');
    at(step);
  }
}

async function begun(daemon: Daemon): Promise<Trainer> {
  const trainer = await training(daemon, 'a');
  await trainer.push(...steps('a', missed));
  return trainer;
}

/** The offset of a payload: its step, since each record has the step of its offset. */
const stepOf = (data: { metrics: { currentStep: number } }) => data.metrics.currentStep;

async function plain(daemon: Daemon, since: number): Promise<Watcher> {
  const client = await Plain.open(daemon, `/ws?sessionId=a&since=${since}`);
  return {
    offsets: () => client.seen('progress_update').map(stepOf),
    sawLast: () => client.events.until((e) => e.data?.metrics?.currentStep === total),
  };
}

async function stream(daemon: Daemon, since: number): Promise<Watcher> {
  const client = await EventStream.open(daemon, 'a', { 'last-event-id': `${since}` });
  return {
    offsets: () => client.events.all.flatMap(({ id }) => (id === null ? [] : [Number(id)])),
    sawLast: () => client.events.until(({ id }) => id === `${total}`),
  };
}

function socketio(...transports: string[]) {
  return async (daemon: Daemon, since: number): Promise<Watcher> => {
    const client = await connect(daemon, transports.length ? { transports } : {});
    client.socket.emit('subscribe_session', { sessionId: 'a', since });
    return {
      offsets: () => client.seen('progress_update').map(stepOf),
      sawLast: () => client.events.until((e) => e.data?.metrics?.currentStep === total),
    };
  };
}

const dialects: Record<string, (daemon: Daemon, since: number) => Promise<Watcher>> = {
  'the plain WebSocket': plain,
  'Server-Sent Events': stream,
  'Socket.IO on a WebSocket': socketio('websocket'),
  'Socket.IO through the upgrade': socketio(),
};

for (const [name, open] of Object.entries(dialects)) {
  test(`${name} misses nothing and repeats nothing at the seam`, async (t) => {
    const daemon = await Daemon.start(t, '--no-throttle');
    const trainer = await begun(daemon);
    const watchers: [number, Promise<Watcher>][] = [];
    await train(daemon, trainer, (step) => {
      const since = [0, 250, missed, step - 1, step][step % 5] as number;
      if (step % 50 < 5 && step < total - 50) watchers.push([since, open(daemon, since)]);
    });
    const left: string[] = [];
    for (const [since, opening] of watchers) {
      const watcher = await opening;
      await watcher.sawLast();
      const offsets = watcher.offsets();
      const seen = new Set(offsets);
      const expected = Array.from({ length: total - since }, (_, i) => since + 1 + i);
      assert.deepEqual(
        offsets,
        expected.filter((offset) => seen.has(offset)),
        `since ${since}`,
      );
      left.push(...expected.filter((offset) => !seen.has(offset)).map((n) => `${n} of ${since}`));
    }
    const superseded = await daemon.counter('messages_superseded');
    assert.equal(left.length, superseded, `missing: ${left.join(', ')}`);
  });
}

test('Socket.IO on polling repeats nothing and ends with the newest', async (t) => {
  const daemon = await Daemon.start(t, '--no-throttle');
  const trainer = await begun(daemon);
  const opening = socketio('polling')(daemon, 0);
  await train(daemon, trainer, () => {});
  const watcher = await opening;
  await watcher.sawLast();
  const offsets = watcher.offsets();
  assert.deepEqual(
    offsets.slice(0, missed),
    Array.from({ length: missed }, (_, i) => i + 1),
  );
  assert(offsets.every((offset, i) => i === 0 || offset > (offsets[i - 1] as number)));
});

test('a since beyond the newest is told that it was not kept', async (t) => {
  const daemon = await Daemon.start(t, '--no-throttle');
  const trainer = await begun(daemon);
  const client = await Plain.open(daemon, `/ws?sessionId=a&since=${missed + 100}`);
  assert.equal((await client.named('session_status')).recovered, false);
  await trainer.push(...steps('a', 1, missed + 1), { type: 'complete' });
  await client.named('training_completed');
  assert.deepEqual(client.seen('progress_update').map(stepOf), [missed, missed + 1]);
});
