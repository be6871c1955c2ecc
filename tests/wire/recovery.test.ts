// SPDX-License-Identifier: MIT
//
// Connection state recovery with the unmodified socket.io-client. The trainer sends the next record
// when the watcher has seen the one before, so that each is an update of its own and the watcher must
// end with every offset once, however often and in whatever way it was cut off.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Daemon } from './daemon.ts';
import { FlakyProxy } from './flaky_proxy.ts';
import { type Client, client, connect } from './socketio.ts';
import { steps, type Trainer, training } from './trainer.ts';

const ways: Record<string, { options: object; cuts: number }> = {
  'by default': { options: {}, cuts: 300 },
  'on WebSocket only': { options: { transports: ['websocket'] }, cuts: 1000 },
  'on polling only': { options: { transports: ['polling'] }, cuts: 300 },
};

const recovers = {
  auth: { recover: true },
  reconnectionDelay: 1,
  reconnectionDelayMax: 5,
  timeout: 5000,
};

/** Was it recovered, each time that it came back? */
function comebacks(viewer: Client): boolean[] {
  const recovered: boolean[] = [];
  viewer.socket.on('connect', () => recovered.push(viewer.socket.recovered));
  return recovered;
}

/** The offsets of one run that it was sent, as they came. */
function offsets(viewer: Client, sessionId: string): number[] {
  const updates = viewer.seen('progress_update').filter((data) => data.sessionId === sessionId);
  return updates.map(({ offset }) => offset);
}

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

/** One record, seen before this ends. */
async function step(trainer: Trainer, viewer: Client, sessionId: string, n: number) {
  trainer.send(...steps(sessionId, 1, n));
  await seen(viewer, sessionId, n);
}

async function seen(viewer: Client, sessionId: string, n: number) {
  await viewer.events.until(
    ({ event, data }) =>
      event === 'progress_update' && data.sessionId === sessionId && data.offset === n,
  );
}

for (const [way, { options, cuts }] of Object.entries(ways)) {
  test(`who closes its connection ${cuts} times sees every offset once ${way}`, async (t) => {
    const daemon = await Daemon.start(t, '--no-throttle');
    const trainer = await training(daemon, 'a');
    const viewer = await connect(daemon, { ...recovers, ...options });
    const recovered = comebacks(viewer);
    const id = viewer.socket.id;
    await viewer.ask('subscribe_session', { sessionId: 'a' });
    for (let n = 1; n <= 2 * cuts; n++) {
      trainer.send(...steps('a', 1, n));
      if (n % 2 === 0) {
        await setImmediate(); // what has come by now is heard before the close
        viewer.socket.io.engine.close();
      }
      await seen(viewer, 'a', n);
    }
    await trainer.push({ type: 'complete', sessionId: 'a' });
    await viewer.named('training_completed');
    assert.deepEqual(offsets(viewer, 'a'), upTo(2 * cuts));
    assert.deepEqual(recovered, Array(cuts).fill(true));
    assert.equal(viewer.socket.id, id);
    assert.equal(viewer.seen('session_status').length, 1);
    assert.equal(await daemon.counter('recoveries_refused'), 0);
  });

  test(`who loses its connections at any byte sees every offset of three runs once ${way}`, async (t) => {
    const daemon = await Daemon.start(t, '--no-throttle');
    const trainer = await training(daemon, 'a', 'b', 'c');
    let budget = 1500;
    const proxy = await FlakyProxy.start(daemon, () => (budget = 1500 + ((budget * 7919) % 6007)));
    const viewer = await connect(daemon, { ...recovers, ...options }, proxy.port);
    const recovered = comebacks(viewer);
    for (const sessionId of ['a', 'b', 'c', '*'])
      viewer.socket.emit('subscribe_session', { sessionId });
    let n = 0;
    while (proxy.cuts < 150) {
      n++;
      for (const sessionId of ['a', 'b', 'c']) await step(trainer, viewer, sessionId, n);
      if (n % 10 === 0)
        trainer.send({ type: 'model_completed', sessionId: 'b', modelIndex: n / 10 - 1 });
    }
    for (const sessionId of ['a', 'b', 'c']) {
      await step(trainer, viewer, sessionId, n + 1);
      assert.deepEqual(offsets(viewer, sessionId), upTo(n + 1), sessionId);
    }
    const models = viewer.seen('model_completed').map(({ modelIndex }) => modelIndex + 1);
    assert.deepEqual(models, upTo(Math.floor(n / 10)));
    assert(recovered.length > 50, `${recovered.length} of ${proxy.cuts} cuts`);
    assert(recovered.every(Boolean));
  });
}

test('who is cut off while thousands of updates are on their way sees each once', async (t) => {
  const daemon = await Daemon.start(t, '--no-throttle');
  const trainer = await training(daemon, 'a');
  for (let from = 1; from < 20_000; from += 1000) await trainer.push(...steps('a', 1000, from));
  const proxy = await FlakyProxy.start(daemon, () => Infinity);
  const viewer = await connect(daemon, { ...recovers, transports: ['websocket'] }, proxy.port);
  const recovered = comebacks(viewer);
  viewer.socket.emit('subscribe_session', { sessionId: 'a', since: 0 });
  for (let n = 1000; n < 20_000; n += 1000) {
    await seen(viewer, 'a', n);
    await setImmediate();
    if (n % 2000) proxy.cut();
    else viewer.socket.io.engine.close();
  }
  await seen(viewer, 'a', 20_000);
  assert.deepEqual(offsets(viewer, 'a'), upTo(20_000));
  assert(recovered.length > 0 && recovered.every(Boolean));
});

test('what was missed while away comes in one go, in its order', async (t) => {
  const daemon = await Daemon.start(t, '--no-throttle');
  const trainer = await training(daemon, 'a');
  const viewer = await connect(daemon, { ...recovers, reconnection: false });
  await viewer.ask('subscribe_session', { sessionId: 'a' });
  await step(trainer, viewer, 'a', 1);
  viewer.socket.io.engine.close();
  await viewer.named('disconnect');
  await trainer.push(...steps('a', 5000, 2), { type: 'complete', sessionId: 'a' });
  viewer.socket.connect();
  await viewer.named('training_completed');
  assert.equal(viewer.socket.recovered, true);
  assert.deepEqual(offsets(viewer, 'a'), upTo(5001));
});

test('who disconnects on purpose, or takes too long, begins anew and is told', async (t) => {
  const daemon = await Daemon.start(t, '--no-throttle', '--recovery-ms', '1');
  const trainer = await training(daemon, 'a');
  const viewer = await connect(daemon, { ...recovers, reconnection: false });
  for (const leave of [() => viewer.socket.disconnect(), () => viewer.socket.io.engine.close()]) {
    await viewer.ask('subscribe_session', { sessionId: 'a' });
    leave();
    await viewer.named('disconnect');
    await daemon.until('peers', 0);
    await daemon.until('recoveries_kept', 0);
    viewer.socket.connect();
    await viewer.named('connection_established');
    assert.equal(viewer.socket.recovered, false);
  }
  await trainer.push(...steps('a', 1));
  viewer.socket.emit('subscribe_session', { sessionId: 'a', since: 0 });
  await seen(viewer, 'a', 1);
});

test('a client that does not ask hears one argument and gets no pid', async (t) => {
  const daemon = await Daemon.start(t, '--no-throttle');
  const trainer = await training(daemon, 'a');
  const plain = client(daemon);
  const asking = client(daemon, { query: { recover: '1' } });
  const counts: number[][] = [];
  for (const { socket } of [plain, asking]) {
    const args: number[] = [];
    counts.push(args);
    socket.onAny((_event, ...rest) => args.push(rest.length));
  }
  for (const viewer of [plain, asking]) {
    await viewer.named('connection_established');
    await viewer.ask('subscribe_session', { sessionId: 'a' });
  }
  trainer.send(...steps('a', 1));
  await seen(plain, 'a', 1);
  await seen(asking, 'a', 1);
  assert.deepEqual(counts, [
    [1, 1, 1],
    [2, 2, 2],
  ]);
});
