// SPDX-License-Identifier: MIT
//
// The plain WebSocket dialect, with the npm package `ws` as anybody would use it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Daemon } from './daemon.ts';
import { lifecycle } from './lifecycle.ts';
import { Plain } from './plain.ts';
import { steps, Trainer, training } from './trainer.ts';

test('a watcher is greeted with an id of its own', async (t) => {
  const daemon = await Daemon.start(t);
  const ids = new Set<string>();
  for (let i = 0; i < 3; i++) {
    const client = await Plain.open(daemon);
    ids.add(client.seen('connection_established')[0].client_id);
  }
  assert.equal(ids.size, 3);
});

test('a run is seen from its beginning to its end, in order', async (t) => {
  const daemon = await Daemon.start(t, '--no-throttle');
  const client = await Plain.open(daemon);
  await client.subscribe('a');
  const trainer = await Trainer.connect(daemon);
  await trainer.start('a', { config: { model_count: 2 } });
  for (const modelIndex of [0, 1]) {
    await trainer.push(...steps('a', 1, modelIndex + 1));
    await trainer.push({ type: 'model_completed', modelIndex });
  }
  await trainer.push({ type: 'complete' });
  await client.named('training_completed');
  assert.deepEqual(
    lifecycle(client.events.all).map((e) => e.event),
    [
      'connection_established',
      'ack',
      'training_started',
      'progress_update',
      'model_completed',
      'progress_update',
      'model_completed',
      'training_completed',
    ],
  );
  assert.deepEqual(client.seen('training_started')[0].config, { model_count: 2 });
  assert.deepEqual(client.seen('model_completed'), [
    { sessionId: 'a', modelIndex: 0, currentModel: 1, totalModels: 2 },
    { sessionId: 'a', modelIndex: 1, currentModel: 2, totalModels: 2 },
  ]);
  const [completed] = client.seen('training_completed');
  assert.equal(completed.overallProgress, 100);
  assert.equal(completed.totalModels, 2);
});

test('a run that fails says why, and one that is known says where it stands', async (t) => {
  const daemon = await Daemon.start(t);
  const trainer = await training(daemon, 'a');
  await trainer.push(...steps('a', 3));
  const client = await Plain.open(daemon);
  await client.subscribe('a');
  const [status] = client.seen('session_status');
  assert.equal(status.session_id, 'a');
  assert.equal(status.status, 'running');
  const [update] = client.seen('progress_update');
  assert.equal(update.status, 'running');
  assert.equal(update.metrics.currentStep, 3);
  await trainer.push({ type: 'fail', error: 'CUDA out of memory' });
  const failed = await client.named('training_error');
  assert.deepEqual(failed, { sessionId: 'a', error: 'CUDA out of memory' });
});

test('the address may name the rooms', async (t) => {
  const daemon = await Daemon.start(t);
  const trainer = await training(daemon, 'a', 'b', 'c');
  const client = await Plain.open(daemon, '/ws?sessionId=a&sessionId=b%2Ex&sessionId=b');
  await client.named('session_status');
  await client.named('session_status');
  for (const id of ['c', 'a', 'b']) await trainer.push({ type: 'complete', sessionId: id });
  await client.named('training_completed');
  await client.named('training_completed');
  const completed = client.seen('training_completed').map((data) => data.sessionId);
  assert.deepEqual(completed, ['a', 'b']);
});

test('who leaves a room hears no more of it', async (t) => {
  const daemon = await Daemon.start(t);
  const trainer = await training(daemon, 'a', 'b');
  const client = await Plain.open(daemon, '/ws?sessionId=a&sessionId=b');
  client.send('unsubscribe_session', { sessionId: 'a' }, 1);
  assert.deepEqual(await client.ack(1), { success: true, sessionId: 'a' });
  await trainer.push(...steps('a', 5), { type: 'complete', sessionId: 'a' });
  await trainer.push({ type: 'complete', sessionId: 'b' });
  await client.named('training_completed');
  assert.deepEqual(
    client.seen('training_completed').map((data) => data.sessionId),
    ['b'],
  );
  assert.deepEqual(client.seen('progress_update'), []);
});

test('the star room hears the lifecycle of every run and no values', async (t) => {
  const daemon = await Daemon.start(t);
  const client = await Plain.open(daemon, '/ws?sessionId=*');
  const trainer = await training(daemon, 'a', 'b');
  await trainer.push(...steps('a', 3), { type: 'model_completed', sessionId: 'a', modelIndex: 0 });
  await trainer.push({ type: 'fail', sessionId: 'b', error: 'x' });
  await trainer.push({ type: 'complete', sessionId: 'a' });
  await client.named('training_completed');
  assert.deepEqual(
    lifecycle(client.events.all)
      .slice(1)
      .map((e) => `${e.event} ${e.data.sessionId}`),
    [
      'training_started a',
      'training_started b',
      'model_completed a',
      'training_error b',
      'training_completed a',
    ],
  );
});

test('history is given with its newest entries, oldest first', async (t) => {
  const daemon = await Daemon.start(t);
  const trainer = await training(daemon, 'a');
  await trainer.push(...steps('a', 150));
  const client = await Plain.open(daemon);
  const ask = async (data: object) => {
    client.send('get_session_history', data);
    return client.named('session_history');
  };
  const last = await ask({ sessionId: 'a', limit: 3 });
  assert.equal(last.sessionId, 'a');
  assert.deepEqual(
    last.history.map((entry: { offset: number }) => entry.offset),
    [148, 149, 150],
  );
  assert.equal((await ask({ sessionId: 'a' })).history.length, 100);
  assert.equal((await ask({ sessionId: 'a', limit: 1000 })).history.length, 150);
  assert.deepEqual((await ask({ sessionId: 'unknown' })).history, []);
});

test('what is not understood is answered with an error, and the connection stays', async (t) => {
  const daemon = await Daemon.start(t);
  const client = await Plain.open(daemon);
  const wrong: [string, RegExp][] = [
    ['hello', /./],
    ['[1]', /object/],
    ['{"event":5}', /string/],
    ['{}', /event/],
    ['{"event":"fly"}', /no such event/],
    ['{"event":"subscribe_session"}', /^sessionId required$/],
    ['{"event":"subscribe_session","data":{}}', /^sessionId required$/],
    ['{"event":"subscribe_session","data":{"sessionId":""}}', /not valid/],
    ['{"event":"subscribe_session","data":{"sessionId":"a b"}}', /not valid/],
    ['{"event":"subscribe_session","data":{"sessionId":5}}', /not valid/],
    ['{"event":"subscribe_session","data":{"sessionId":"a"}} x', /./],
  ];
  for (const [message, why] of wrong) {
    client.socket.send(message);
    assert.match((await client.named('error')).message, why, message);
  }
  client.send('subscribe_session', { sessionId: 'a b' }, 'mine');
  assert.equal((await client.ack('mine')).success, false);
  await client.subscribe('a');
});

test('a watcher may be in so many rooms and no more, and twice in one is once', async (t) => {
  const daemon = await Daemon.start(t, '--max-rooms-per-peer', '10');
  const trainer = await training(daemon, 'run0');
  const client = await Plain.open(daemon);
  for (let i = 0; i < 10; i++) await client.subscribe(`run${i}`);
  await client.subscribe('run0');
  client.send('subscribe_session', { sessionId: 'run10' }, 1);
  assert.deepEqual(await client.ack(1), { success: false, error: 'too many rooms' });
  client.send('unsubscribe_session', { sessionId: 'run5' }, 2);
  await client.subscribe('run10');
  await trainer.push({ type: 'complete', sessionId: 'run0' });
  await trainer.push({ type: 'start', sessionId: 'run10' });
  await client.named('training_started');
  assert.equal(client.seen('training_completed').length, 1);
});

test('a watcher that goes leaves no room behind', async (t) => {
  const daemon = await Daemon.start(t);
  const clients = await Promise.all(
    Array.from({ length: 20 }, (_, i) => Plain.open(daemon, `/ws?sessionId=a&sessionId=r${i}`)),
  );
  assert.equal(await daemon.counter('peers'), 20);
  clients.forEach((client, i) => (i % 2 ? client.socket.close() : client.socket.terminate()));
  await daemon.until('peers', 0);
  await daemon.until('rooms', 0);
});
