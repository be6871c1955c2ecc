// SPDX-License-Identifier: MIT
//
// Watchers that stop reading. They lose intermediate values and never an event, grow no memory, and
// past the cap are closed with a reason; nobody else notices.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Daemon } from './daemon.ts';
import { Plain } from './plain.ts';
import { Poller } from './poller.ts';
import { RawHttp, request } from './raw_http.ts';
import { frame, PING, RawWs } from './raw_ws.ts';
import { steps, training, type Trainer } from './trainer.ts';
import { eventually } from './waiting.ts';

const options = ['--no-throttle', '--no-compression', '--max-history-records', '1000'];
const megabyte = 1 << 20;

const model = (modelIndex: number) => ({ type: 'model_completed', sessionId: 'a', modelIndex });

/** Watchers of run `a` that have stopped reading. */
async function stalled(daemon: Daemon, count: number): Promise<Plain[]> {
  const clients: Plain[] = [];
  for (let i = 0; i < count; i++) {
    const client = await Plain.open(daemon, '/ws?sessionId=a');
    await client.named('session_status');
    client.socket.pause();
    clients.push(client);
  }
  return clients;
}

/** Pushes values one wake-up at a time until so many stalled watchers can take no more. */
async function fill(daemon: Daemon, trainer: Trainer, watchers: number): Promise<number> {
  let step = 0;
  await eventually('the stalled watchers to be full', async () => {
    const before = await daemon.counter('messages_superseded');
    for (let i = 0; i < 200; i++) await trainer.push(...steps('a', 1, ++step));
    return (await daemon.counter('messages_superseded')) - before >= 200 * watchers;
  });
  return step;
}

test('a hundred thousand values leave stalled watchers small and the others current', async (t) => {
  const daemon = await Daemon.start(t, ...options);
  const trainer = await training(daemon, 'a');
  const slow = await stalled(daemon, 20);
  const good = await Plain.open(daemon, '/ws?sessionId=a');
  const filled = await fill(daemon, trainer, slow.length);
  const before = daemon.rssBytes();
  for (let sent = 0; sent < 100_000; sent += 1000) {
    await trainer.push(...steps('a', 1000, filled + sent + 1));
  }
  const newest = filled + 100_000;
  await good.events.until(({ data }) => data.metrics?.currentStep === newest);
  assert(daemon.grewLess(4 * megabyte, before));
  for (const client of slow) {
    client.socket.resume();
    await client.events.until(({ data }) => data.metrics?.currentStep === newest);
    const seen = client.seen('progress_update').map(({ metrics }) => metrics.currentStep);
    assert(seen.length < filled + 100);
    assert(seen.every((step, i) => i === 0 || step > seen[i - 1]));
  }
  assert.equal(await daemon.counter('peers_closed_slow'), 0);
});

test('a watcher that misses events is closed with 4008, and the others have them all', async (t) => {
  const daemon = await Daemon.start(t, ...options);
  const trainer = await training(daemon, 'a');
  const [slow] = await stalled(daemon, 1);
  const good = await Plain.open(daemon, '/ws?sessionId=a');
  const before = daemon.rssBytes();
  let index = 0;
  await eventually('the slow watcher to be closed', async () => {
    await trainer.push(...Array.from({ length: 100 }, () => model(index++)));
    return (await daemon.counter('peers_closed_slow')) === 1;
  });
  slow?.socket.resume();
  assert.deepEqual(await slow?.closed, { code: 4008, reason: 'too slow: outbox is full' });
  await good.events.until(({ data }) => data.modelIndex === index - 1);
  assert.deepEqual(
    good.seen('model_completed').map(({ modelIndex }) => modelIndex),
    Array.from({ length: index }, (_, i) => i),
  );
  const heard = slow?.seen('model_completed').map(({ modelIndex }) => modelIndex);
  assert.deepEqual(
    heard,
    Array.from({ length: heard?.length ?? -1 }, (_, i) => i),
  );
  assert(daemon.grewLess(8 * megabyte, before));
});

test('an event stream that is not read costs no processor time, and is ended', async (t) => {
  const daemon = await Daemon.start(t, ...options, '--max-outbox-messages', '100');
  const trainer = await training(daemon, 'a');
  const stream = await RawHttp.connect(daemon);
  // The second request is there to be read while the first is answered: it must not be.
  stream.write(request('GET', '/api/training/events/a') + request('GET', '/health'));
  await stream.bytes(100);
  stream.socket.pause();
  await fill(daemon, trainer, 1);
  assert((await daemon.cpuShare()) < 0.1);
  let index = 0;
  await eventually('the stream to be ended', async () => {
    await trainer.push(...Array.from({ length: 100 }, () => model(index++)));
    return (await daemon.counter('peers_closed_slow')) === 1;
  });
  stream.socket.resume();
  const text = String(await stream.rest());
  assert.match(text, /event: error\ndata: \{"message":"too slow: outbox is full"\}\n\n$/);
});

test('a session that stops polling is dropped at the cap', async (t) => {
  const daemon = await Daemon.start(t, ...options, '--max-outbox-messages', '50');
  const trainer = await training(daemon, 'a');
  const poller = await Poller.connected(daemon);
  await poller.post('42["subscribe_session",{"sessionId":"a"}]');
  await trainer.push(...steps('a', 1000));
  assert.equal(await daemon.counter('peers'), 1);
  await trainer.push(...Array.from({ length: 60 }, (_, i) => model(i)));
  await daemon.until('peers', 0);
  assert.equal(await daemon.counter('peers_closed_slow'), 1);
  await poller.gone();
});

test('twenty thousand pings whose answers are not read cost no memory', async (t) => {
  const daemon = await Daemon.start(t);
  const ws = await RawWs.open(daemon);
  ws.http.socket.pause();
  const before = daemon.rssBytes();
  const pings = Buffer.concat(Array.from({ length: 20_000 }, () => frame(PING, 'x'.repeat(125))));
  const written = new Promise((done) => ws.http.socket.write(pings, done));
  assert.equal((await daemon.fetch('/health')).status, 200);
  assert(daemon.grewLess(8 * megabyte, before));
  ws.http.socket.resume();
  await Promise.race([written, ws.http.closed]);
  assert.equal((await daemon.fetch('/health')).status, 200);
});
