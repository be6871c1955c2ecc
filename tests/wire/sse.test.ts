// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Daemon } from './daemon.ts';
import { EventStream } from './event_stream.ts';
import { lifecycle } from './lifecycle.ts';
import { RawHttp, request } from './raw_http.ts';
import { steps, Trainer, training } from './trainer.ts';
import { eventually } from './waiting.ts';

test('a stream tells a run from where it stands to its end', async (t) => {
  const daemon = await Daemon.start(t, '--no-throttle');
  const trainer = await training(daemon, 'a');
  await trainer.push(...steps('a', 2));
  const stream = await EventStream.open(daemon, 'a');
  assert.equal(stream.response.status, 200);
  assert.equal(stream.response.headers.get('content-type'), 'text/event-stream');
  assert.equal(stream.response.headers.get('cache-control'), 'no-store');
  assert.equal(stream.response.headers.get('x-accel-buffering'), 'no');
  await stream.named('progress_update');
  await trainer.push(...steps('a', 1, 3));
  await trainer.push({ type: 'model_completed', modelIndex: 0 }, { type: 'complete' });
  await stream.named('training_completed');
  assert.deepEqual(
    lifecycle(stream.events.all).map(({ event, id }) => [event, id]),
    [
      ['session_status', null],
      ['progress_update', '2'],
      ['progress_update', '3'],
      ['model_completed', null],
      ['training_completed', null],
    ],
  );
});

test('a run may be waited for before it begins', async (t) => {
  const daemon = await Daemon.start(t);
  const stream = await EventStream.open(daemon, 'later');
  const trainer = await Trainer.connect(daemon);
  await trainer.start('later');
  await trainer.push(...steps('later', 1));
  assert.equal((await stream.named('progress_update')).id, '1');
});

test('a stream goes on after the last id that was seen', async (t) => {
  const daemon = await Daemon.start(t);
  const trainer = await training(daemon, 'a');
  await trainer.push(...steps('a', 100));
  const ids = async (headers: Record<string, string>, query = '') => {
    const stream = await EventStream.open(daemon, 'a', headers, query);
    await stream.events.until(({ id }) => id === '100');
    stream.close();
    return stream.events.all.flatMap(({ id }) => (id === null ? [] : [Number(id)]));
  };
  const after = (offset: number) => Array.from({ length: 100 - offset }, (_, i) => offset + 1 + i);
  assert.deepEqual(await ids({}), [100]);
  assert.deepEqual(await ids({ 'last-event-id': '0' }), after(0));
  assert.deepEqual(await ids({ 'last-event-id': '70' }), after(70));
  assert.deepEqual(await ids({}, '?since=98'), after(98));
  assert.deepEqual(await ids({ 'last-event-id': '98' }, '?since=5'), after(98));
});

test('an id that is no offset is refused, and so is an id of no session', async (t) => {
  const daemon = await Daemon.start(t);
  const path = '/api/training/events/a';
  for (const id of ['x', '-1', '1.5', '18446744073709551616', '1 2']) {
    const answer = await daemon.fetch(path, { headers: { 'last-event-id': id } });
    assert.equal(answer.status, 400, id);
  }
  for (const id of ['a%20b', 'a/b', 'a'.repeat(129), '%e2%82%ac']) {
    assert.equal((await daemon.fetch(`/api/training/events/${id}`)).status, 400, id);
  }
  assert.equal((await daemon.fetch(path, { method: 'POST' })).status, 405);
});

test('a quiet stream is kept alive with comments', async (t) => {
  const daemon = await Daemon.start(t, '--ping-interval-ms', '50');
  const stream = await EventStream.open(daemon, 'a');
  await eventually('three comments', () => stream.comments.length >= 3);
  assert.deepEqual(stream.events.all, []);
});

test('a client that goes is noticed, and its stream costs nothing more', async (t) => {
  const daemon = await Daemon.start(t);
  const streams = await Promise.all(
    Array.from({ length: 10 }, () => EventStream.open(daemon, 'a')),
  );
  await daemon.until('peers', 10);
  streams.forEach((stream) => stream.close());
  await daemon.until('peers', 0);
  await daemon.until('rooms', 0);
});

test('HEAD says what a stream would be, and opens none', async (t) => {
  const daemon = await Daemon.start(t);
  const http = await RawHttp.connect(daemon);
  http.write(request('HEAD', '/api/training/events/a') + request('GET', '/health'));
  const head = await http.response('HEAD');
  assert.equal(head.status, 200);
  assert.equal(head.headers['content-type'], 'text/event-stream');
  assert.equal((await http.response()).status, 200);
});
