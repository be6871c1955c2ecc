// SPDX-License-Identifier: MIT
//
// The unmodified socket.io-client, in the three ways in which it can be told to connect.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Daemon } from './daemon.ts';
import { lifecycle } from './lifecycle.ts';
import { client, connect } from './socketio.ts';
import { progress, steps, Trainer, training } from './trainer.ts';
import { eventually } from './waiting.ts';

const ways: Record<string, object> = {
  'by default': {},
  'on WebSocket only': { transports: ['websocket'] },
  'on polling only': { transports: ['polling'] },
};

for (const [way, options] of Object.entries(ways)) {
  test(`a run is seen whole ${way}`, async (t) => {
    const daemon = await Daemon.start(t, '--no-throttle');
    const viewer = await connect(daemon, options);
    const trainer = await Trainer.connect(daemon);
    assert.deepEqual(await viewer.ask('subscribe_session', { sessionId: 'a' }), {
      success: true,
      sessionId: 'a',
    });
    await trainer.start('a', { config: { model_count: 1 } });
    await viewer.named('training_started');
    for (const step of [1, 2, 3]) {
      await trainer.push(...steps('a', 1, step));
      const { metrics, status } = await viewer.named('progress_update');
      assert.equal(metrics.currentStep, step);
      assert.equal(status, 'running');
    }
    await trainer.push({ type: 'model_completed', modelIndex: 0 }, { type: 'complete' });
    await viewer.named('training_completed');
    assert.deepEqual(
      lifecycle(viewer.events.all).map(({ event }) => event),
      [
        'connection_established',
        'training_started',
        'progress_update',
        'progress_update',
        'progress_update',
        'model_completed',
        'training_completed',
      ],
    );
    const [greeting] = viewer.seen('connection_established');
    assert.equal(greeting.client_id, viewer.socket.id);
    assert.deepEqual(viewer.seen('model_completed'), [
      { sessionId: 'a', modelIndex: 0, currentModel: 1, totalModels: 1 },
    ]);
  });

  test(`what a run means is told as it shows ${way}`, async (t) => {
    const daemon = await Daemon.start(t);
    const viewer = await connect(daemon, options);
    await viewer.ask('subscribe_session', { sessionId: 'a' });
    const trainer = await training(daemon, 'a');
    for (let step = 1; step <= 5; step++)
      await trainer.push(progress('a', { step, loss: 1 / step }));
    await trainer.push(progress('a', { step: 6, loss: 'NaN' }));
    const changed = await viewer.named('phase_changed');
    assert.deepEqual([changed.from, changed.to], ['INITIALIZING', 'DIVERGING']);
    const alert = await viewer.named('alert');
    assert.deepEqual([alert.kind, alert.severity], ['divergence', 'critical']);
    const verdict = await viewer.named('insight');
    assert.equal(verdict.phase, 'DIVERGING');
    const asked = await daemon.json('/api/training/insight/a');
    assert.equal(asked.data.reason, verdict.reason);
  });

  test(`who comes late is told where a run stands ${way}`, async (t) => {
    const daemon = await Daemon.start(t);
    const trainer = await training(daemon, 'a');
    await trainer.push(progress('a', { loss: 1.5, step: 30, total_steps: 40, wer: 0.25 }));
    const viewer = await connect(daemon, options);
    viewer.socket.emit('subscribe_session', { sessionId: 'a' });
    const status = await viewer.named('session_status');
    assert.deepEqual([status.session_id, status.status], ['a', 'running']);
    const { metrics } = await viewer.named('progress_update');
    const twelve = ['loss', 'perplexity', 'grokProgress', 'modelParams', 'currentStep'];
    twelve.push('totalSteps', 'currentModel', 'totalModels', 'overallProgress', 'trainingTime');
    twelve.push('estimatedTimeRemaining', 'timestamp');
    assert.deepEqual(Object.keys(metrics), [...twelve, 'wer']);
    assert.deepEqual([metrics.loss, metrics.overallProgress, metrics.wer], [1.5, 75, 0.25]);
  });

  test(`history is asked for and acknowledged ${way}`, async (t) => {
    const daemon = await Daemon.start(t);
    await (await training(daemon, 'a')).push(...steps('a', 120));
    const viewer = await connect(daemon, options);
    const ack = await viewer.ask('get_session_history', { sessionId: 'a', limit: 110 });
    assert.deepEqual(ack, { success: true, sessionId: 'a' });
    const { sessionId, history } = await viewer.named('session_history');
    assert.equal(sessionId, 'a');
    assert.deepEqual(
      history.map((entry: { offset: number }) => entry.offset),
      Array.from({ length: 110 }, (_, i) => 11 + i),
    );
    viewer.socket.emit('get_session_history', { sessionId: 'a' });
    assert.equal((await viewer.named('session_history')).history.length, 100);
    viewer.socket.emit('get_session_history', { sessionId: 'unknown' });
    assert.deepEqual((await viewer.named('session_history')).history, []);
  });

  test(`a wrong request is answered and the connection stays ${way}`, async (t) => {
    const daemon = await Daemon.start(t);
    const viewer = await connect(daemon, options);
    for (const [data, message] of [
      [undefined, 'sessionId required'],
      [{}, 'sessionId required'],
      [{ sessionId: 'a b' }, 'sessionId is not valid'],
    ] as const) {
      const ack = await viewer.ask('subscribe_session', data);
      assert.deepEqual(ack, { success: false, error: message });
      assert.deepEqual(await viewer.named('error'), { message });
    }
    assert.deepEqual(await viewer.ask('fly'), { success: false, error: 'no such event' });
    assert.equal((await viewer.ask('subscribe_session', { sessionId: 'a' })).success, true);
  });

  test(`rooms are told apart, left and joined ${way}`, async (t) => {
    const daemon = await Daemon.start(t);
    const trainer = await training(daemon, 'a', 'b');
    const viewers = [];
    for (const rooms of [['a'], ['b'], ['a', 'b'], ['*']]) {
      const viewer = await connect(daemon, options);
      for (const sessionId of rooms) await viewer.ask('subscribe_session', { sessionId });
      viewers.push(viewer);
    }
    const left = await connect(daemon, options);
    for (const sessionId of ['a', 'b']) await left.ask('subscribe_session', { sessionId });
    await left.ask('unsubscribe_session', { sessionId: 'a' });
    await trainer.push({ type: 'complete', sessionId: 'a' }, { type: 'complete', sessionId: 'b' });
    const heard = [];
    for (const [i, viewer] of [...viewers, left].entries()) {
      await viewer.named('training_completed');
      if (i === 2 || i === 3) await viewer.named('training_completed');
      heard.push(viewer.seen('training_completed').map(({ sessionId }) => sessionId));
    }
    assert.deepEqual(heard, [['a'], ['b'], ['a', 'b'], ['a', 'b'], ['b']]);
  });
}

test('by default the client begins on polling and goes over to WebSocket', async (t) => {
  const daemon = await Daemon.start(t);
  const viewer = client(daemon);
  await viewer.named('connection_established');
  await eventually('the upgrade', () => viewer.transport === 'websocket');
  const polling = await connect(daemon, { transports: ['polling'] });
  assert.equal(polling.transport, 'polling');
});

test('a client that loses its connection comes back and misses nothing', async (t) => {
  const daemon = await Daemon.start(t);
  const trainer = await training(daemon, 'a');
  await trainer.push(...steps('a', 10));
  const quickly = { reconnectionDelay: 10, reconnectionDelayMax: 20 };
  const viewer = await connect(daemon, quickly);
  viewer.socket.emit('subscribe_session', { sessionId: 'a', since: 0 });
  await viewer.events.until(({ data }) => data?.metrics?.currentStep === 10);
  viewer.socket.io.engine.close();
  await viewer.named('disconnect');
  await trainer.push(...steps('a', 10, 11));
  await viewer.named('connection_established');
  viewer.socket.emit('subscribe_session', { sessionId: 'a', since: 10 });
  await viewer.events.until(({ data }) => data?.metrics?.currentStep === 20);
  assert.deepEqual(
    viewer.seen('progress_update').map(({ metrics }) => metrics.currentStep),
    Array.from({ length: 20 }, (_, i) => i + 1),
  );
});

test('a disconnected client hears no more, and its rooms go with it', async (t) => {
  const daemon = await Daemon.start(t);
  const viewers = [];
  for (const options of Object.values(ways)) {
    const viewer = await connect(daemon, options);
    await viewer.ask('subscribe_session', { sessionId: 'a' });
    viewers.push(viewer);
  }
  assert.equal(await daemon.counter('rooms'), 1);
  viewers.forEach((viewer) => viewer.socket.disconnect());
  await daemon.until('rooms', 0);
  await daemon.until('peers', 0);
});

test('a namespace that is not there is refused with a reason', async (t) => {
  const daemon = await Daemon.start(t);
  const viewer = client(daemon, { reconnection: false }, '/nowhere');
  assert.equal(await viewer.named('connect_error'), 'Invalid namespace');
});

test('an older UI joins a room and gets the state of the run', async (t) => {
  const daemon = await Daemon.start(t);
  const trainer = await training(daemon, 'a');
  await trainer.push(...steps('a', 1));
  const viewer = await connect(daemon);
  viewer.socket.emit('join_room', 'a');
  const joined = await viewer.named('session_joined');
  assert.equal(joined.sessionId, 'a');
  assert.equal(joined.currentState.latest_metrics.currentStep, 1);
  await trainer.push(...steps('a', 1, 2));
  const update = await viewer.events.until(({ data }) => data?.metrics?.currentStep === 2);
  assert.equal(update.event, 'progress_update');
  const members = ['sessionId', 'eventType', 'metrics', 'status', 'timestamp', 'message'];
  assert.deepEqual(Object.keys(update.data).sort(), members.sort());
});
