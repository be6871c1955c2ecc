// SPDX-License-Identifier: MIT
//
// At most --max-rate updates a second and run; the newest always arrives, events wait for nobody.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Daemon } from './daemon.ts';
import { lifecycle } from './lifecycle.ts';
import { Plain } from './plain.ts';
import { steps, training, type Trainer } from './trainer.ts';

/** What /api/training/stats says of the throttle. */
async function stats(daemon: Daemon): Promise<unknown[]> {
  const answer = await fetch(`${daemon.url}/api/training/stats`);
  const { data } = (await answer.json()) as {
    data: { performance_stats: { throttling_enabled: boolean; max_update_rate: number } };
  };
  const { throttling_enabled, max_update_rate } = data.performance_stats;
  return [throttling_enabled, max_update_rate];
}

/** Writes a line each 10 ms, which is the trainer's pace and nothing that is waited for. */
async function train(trainer: Trainer, sessionId: string, count: number): Promise<number> {
  const began = performance.now();
  for (let step = 1; step <= count; step++) {
    trainer.send(...steps(sessionId, 1, step));
    await pause(10);
  }
  return performance.now() - began;
}

const stepsOf = (client: Plain) =>
  client.seen('progress_update').map(({ metrics }) => metrics.currentStep);

test('fifty pushes at 10 ms make at most fifteen frames, and the newest is the last', async (t) => {
  const daemon = await Daemon.start(t);
  const trainer = await training(daemon, 'a');
  const client = await Plain.open(daemon, '/ws?sessionId=a');
  const tookMs = await train(trainer, 'a', 50);
  await client.events.until(({ data }) => data.metrics?.currentStep === 50);
  const seen = stepsOf(client);
  assert(seen.length >= 4 && seen.length <= 2 + tookMs / 100, `${seen.length} in ${tookMs} ms`);
  assert(tookMs > 1000 || seen.length <= 15);
  assert.equal(seen[0], 1);
  assert.deepEqual(
    seen,
    seen.toSorted((a, b) => a - b),
  );
});

test('each run has a rate of its own', async (t) => {
  const daemon = await Daemon.start(t);
  const trainer = await training(daemon, 'a', 'b', 'c');
  const client = await Plain.open(daemon, '/ws?sessionId=a&sessionId=b&sessionId=c');
  await trainer.push(...steps('a', 1), ...steps('b', 2), ...steps('c', 3));
  const first = new Map<string, number>();
  while (first.size < 3) {
    const { sessionId, metrics } = await client.named('progress_update');
    if (!first.has(sessionId)) first.set(sessionId, metrics.currentStep);
  }
  assert.deepEqual(Object.fromEntries(first), { a: 1, b: 2, c: 3 });
});

test('--max-rate sets the rate', async (t) => {
  const daemon = await Daemon.start(t, '--max-rate', '2');
  const trainer = await training(daemon, 'a');
  const client = await Plain.open(daemon, '/ws?sessionId=a');
  const tookMs = await train(trainer, 'a', 60);
  await client.events.until(({ data }) => data.metrics?.currentStep === 60);
  const seen = stepsOf(client);
  assert(seen.length <= 2 + tookMs / 500, `${seen.length} in ${tookMs} ms`);
  assert.deepEqual(await stats(daemon), [true, 2]);
});

test('an event sends the waiting update before it, at once', async (t) => {
  const daemon = await Daemon.start(t, '--max-rate', '0.1');
  const trainer = await training(daemon, 'a');
  const client = await Plain.open(daemon, '/ws?sessionId=a');
  await trainer.push(...steps('a', 1));
  await client.named('progress_update');
  for (const modelIndex of [0, 1, 2]) {
    await trainer.push(...steps('a', 5, 10 * modelIndex + 2));
    await trainer.push({ type: 'model_completed', modelIndex });
  }
  await trainer.push(...steps('a', 5, 50), { type: 'complete' });
  await client.named('training_completed');
  assert.deepEqual(
    lifecycle(client.events.all)
      .slice(2)
      .map(({ event, data }) => `${event} ${data.metrics?.currentStep ?? ''}`),
    [
      'progress_update 1',
      'progress_update 6',
      'model_completed ',
      'progress_update 16',
      'model_completed ',
      'progress_update 26',
      'model_completed ',
      'progress_update 54',
      'training_completed ',
    ],
  );
});

test('--no-throttle sends each record that finds the watcher ready', async (t) => {
  const daemon = await Daemon.start(t, '--no-throttle');
  const trainer = await training(daemon, 'a');
  const client = await Plain.open(daemon, '/ws?sessionId=a');
  for (let step = 1; step <= 200; step++) {
    trainer.send(...steps('a', 1, step));
    await client.named('progress_update');
  }
  assert.deepEqual(
    stepsOf(client),
    Array.from({ length: 200 }, (_, i) => i + 1),
  );
  assert.deepEqual(await stats(daemon), [false, 10]);
});

test('beyond the throttle an update takes less than a tenth of a second', async (t) => {
  const daemon = await Daemon.start(t, '--no-throttle');
  const trainer = await training(daemon, 'a');
  const client = await Plain.open(daemon, '/ws?sessionId=a');
  const tookMs: number[] = [];
  for (let step = 1; step <= 300; step++) {
    const sent = performance.now();
    trainer.send(...steps('a', 1, step));
    await client.named('progress_update');
    tookMs.push(performance.now() - sent);
  }
  tookMs.sort((a, b) => a - b);
  const p99 = tookMs[Math.floor(tookMs.length * 0.99)]!;
  t.diagnostic(`p50 ${tookMs[150]!.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`);
  assert(p99 < 100, `p99 is ${p99} ms`);
});

test('a burst of one write is one update, the newest', async (t) => {
  const daemon = await Daemon.start(t);
  const trainer = await training(daemon, 'a');
  const client = await Plain.open(daemon, '/ws?sessionId=a');
  await trainer.push(...steps('a', 100));
  assert.equal((await client.named('progress_update')).metrics.currentStep, 100);
});
