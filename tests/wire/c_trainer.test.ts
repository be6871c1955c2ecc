// SPDX-License-Identifier: MIT
//
// The demo's trainer in C, on the C client: a real training, watched from outside, disturbed by
// nothing that becomes of the daemon.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Child, temporaryFolder } from './child.ts';
import { Daemon, trainer as binary } from './daemon.ts';
import { lifecycle } from './lifecycle.ts';
import { connect } from './socketio.ts';
import { within } from './waiting.ts';

function train(socket: string, ...more: string[]): Child {
  return new Child(binary, ['--socket', socket, '--session', 'c', '--quiet', ...more]);
}

const finishes = (child: Child) => within('the trainer to finish', child.exited);

test('a training is seen from beginning to end', async (t) => {
  const daemon = await Daemon.start(t);
  const viewer = await connect(daemon);
  await viewer.ask('subscribe_session', { sessionId: 'c' });
  const child = train(daemon.socketPath, '--models', '2', '--steps', '10');
  daemon.defer(() => child.process.kill());
  await viewer.named('training_completed');
  assert.equal(await finishes(child), 0, child.stderr);
  const events = lifecycle(viewer.events.all).map(({ event }) => event);
  assert.deepEqual(
    events.filter((event) => event !== 'progress_update'),
    [
      'connection_established',
      'training_started',
      'model_completed',
      'model_completed',
      'training_completed',
    ],
  );
  const { data } = await daemon.json('/api/training/history/c?limit=100000');
  assert(data.length >= 4, `${data.length} records`);
  assert(data.every((entry: { offset: number }, i: number) => entry.offset === i + 1));
  const progress = data.map((entry: { overallProgress: number }) => entry.overallProgress);
  assert(progress.every((value: number, i: number) => i === 0 || value >= progress[i - 1]));
  assert(data.every((entry: { loss: unknown }) => typeof entry.loss === 'number'));
  const { status, total_models } = (await daemon.json('/api/training/status/c')).data;
  assert.deepEqual([status, total_models], ['completed', 2]);
  const { metrics } = (await daemon.json('/api/v1/operations/c/metrics')).data;
  assert.deepEqual(
    metrics.epochs.map(({ epoch }: { epoch: number }) => epoch),
    [1, 2], // counted across the models; ten steps are less than one
  );
  assert.equal(metrics.total_epochs_planned, 2);
});

test('a training goes on when the daemon dies, and the next one hears the end', async (t) => {
  const first = await Daemon.start(t);
  const viewer = await connect(first, { reconnection: false });
  viewer.socket.emit('subscribe_session', { sessionId: 'c' });
  const slow = ['--models', '1', '--steps', '10', '--step-delay-us', '100000'];
  const child = train(first.socketPath, ...slow);
  t.after(() => child.process.kill());
  await viewer.events.until(({ data }) => data?.metrics?.currentStep >= 2);
  first.signal('SIGKILL', 'SIGKILL');
  await first.exited;
  const second = await Daemon.start(t, '--socket', first.socketPath);
  second.socketPath = first.socketPath;
  assert.equal(await finishes(child), 0, child.stderr);
  const { status } = (await second.json('/api/training/status/c')).data;
  assert.equal(status, 'completed');
});

test('a training needs no daemon', async (t) => {
  const nowhere = `${temporaryFolder(t)}/none.sock`;
  const child = train(nowhere, '--models', '1', '--steps', '5');
  assert.equal(await finishes(child), 0, child.stderr);
  assert.equal(child.stderr, '');
});
