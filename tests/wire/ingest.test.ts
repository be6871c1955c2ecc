// SPDX-License-Identifier: MIT
//
// Trainers on the Unix socket: what is answered and what is dropped.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Daemon } from './daemon.ts';
import { Plain } from './plain.ts';
import { progress, steps, Trainer, training } from './trainer.ts';

test('a start is answered with its id, which is made when there is none', async (t) => {
  const daemon = await Daemon.start(t);
  const trainer = await Trainer.connect(daemon);
  assert.deepEqual(await trainer.start('run.1_a:b-c'), {
    type: 'started',
    sessionId: 'run.1_a:b-c',
    lastSeq: 0,
  });
  trainer.send({ type: 'start' });
  const made = await trainer.answers.next();
  assert.match(String(made['sessionId']), /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
  for (const sessionId of ['', 'a b', 'a/b', 'x'.repeat(129), 5, '€']) {
    trainer.send({ type: 'start', sessionId });
    assert.equal((await trainer.answers.next()).type, 'error', String(sessionId));
  }
});

test('a ping is answered, and what came before it has been taken', async (t) => {
  const daemon = await Daemon.start(t);
  const trainer = await training(daemon, 'a');
  trainer.send(...steps('a', 3), { type: 'ping' });
  assert.deepEqual(await trainer.answers.next(), { type: 'pong' });
  assert.equal((await daemon.json('/api/training/metrics/a')).data.currentStep, 3);
});

test('a bad line is answered and the next is as welcome as ever', async (t) => {
  const daemon = await Daemon.start(t);
  const trainer = await training(daemon, 'a');
  const bad = [
    'hello',
    '{"a":1}{"b":2}',
    '[1] x',
    '[]',
    '5',
    '{"type":"progress"',
    '{"type":"fly"}',
  ];
  bad.push('{"type":5}', '{}', '{"type":"progress","metrics":[1]}', '{"type":"progress","seq":-1}');
  bad.push('{"type":"progress","metrics":{"x":01}}', '{"type":"x\u0001"}', '['.repeat(5000));
  for (const line of bad) {
    trainer.write(`${line}\n`);
    const { type, code, message } = await trainer.answers.next();
    assert.equal(type, 'error', line);
    assert(typeof code === 'string' && typeof message === 'string' && message, line);
  }
  await trainer.push(...steps('a', 1));
  assert.equal(await daemon.counter('lines_rejected'), bad.length);
  assert.equal(await daemon.counter('metrics_processed'), 1);
});

test('any line ends, blanks and pieces make the same lines', async (t) => {
  const daemon = await Daemon.start(t);
  const trainer = await training(daemon, 'a');
  const [one, two, three] = steps('a', 3).map((line) => JSON.stringify(line)) as [
    string,
    string,
    string,
  ];
  trainer.write(`\n  \n${one}\r\n\r\n\t\n${two}\n`);
  for (const byte of `${three}\n{"type":"ping"}\n`) {
    await new Promise((written) => trainer.socket.write(byte, written));
  }
  assert.deepEqual(await trainer.answers.next(), { type: 'pong' });
  assert.equal(await daemon.counter('metrics_processed'), 3);
  assert.equal(await daemon.counter('lines_rejected'), 0);
});

test('a line may have 65536 bytes; a longer one is answered and the connection closed', async (t) => {
  const daemon = await Daemon.start(t);
  const padded = (length: number) => {
    const line = JSON.stringify(progress('a', { loss: 1 }, { note: '' }));
    return line.replace('"note":""', `"note":"${'x'.repeat(length - line.length)}"`);
  };
  const trainer = await training(daemon, 'a');
  trainer.write(`${padded(65_536)}\n{"type":"ping"}\n`);
  assert.deepEqual(await trainer.answers.next(), { type: 'pong' });
  trainer.write(`${padded(65_537)}\n`);
  assert.equal((await trainer.answers.next())['code'], 'too_long');
  await trainer.closed;
  const endless = await training(daemon, 'b');
  endless.write(Buffer.alloc(200_000, 'x'));
  assert.equal((await endless.answers.next())['code'], 'too_long');
  await endless.closed;
});

test('an unfinished last line is nothing', async (t) => {
  const daemon = await Daemon.start(t);
  const trainer = await training(daemon, 'a');
  trainer.write(`${JSON.stringify(steps('a', 1)[0])}\n{"type":"progress","metrics":{"loss":1}}`);
  trainer.socket.end();
  await trainer.closed;
  assert.equal(await daemon.counter('metrics_processed'), 1);
  assert.equal(await daemon.counter('lines_truncated'), 1);
});

test('lines with a seq are acknowledged, and a repeat is dropped', async (t) => {
  const daemon = await Daemon.start(t);
  const trainer = await training(daemon, 'a');
  const numbered = (seq: number) => progress('a', { step: seq }, { seq });
  trainer.send(numbered(1), numbered(2), numbered(5));
  await trainer.answers.until(({ type, seq }) => type === 'ack' && seq === 5);
  trainer.send(numbered(4), numbered(5), numbered(6));
  await trainer.answers.until(({ type, seq }) => type === 'ack' && seq === 6);
  assert.equal(await daemon.counter('lines_repeated'), 2);
  const { data } = await daemon.json('/api/training/history/a');
  assert.deepEqual(
    data.map((entry: { currentStep: number }) => entry.currentStep),
    [1, 2, 5, 6],
  );
});

test('a trainer that comes back learns where it was and goes on from there', async (t) => {
  const daemon = await Daemon.start(t);
  const first = await training(daemon, 'a');
  first.send(progress('a', { step: 1 }, { seq: 41 }));
  await first.answers.until(({ type }) => type === 'ack');
  first.socket.destroy();
  const second = await Trainer.connect(daemon);
  const { lastSeq } = await second.start('a', { resume: true });
  assert.equal(lastSeq, 41);
  await second.push(
    progress('a', { step: 1 }, { seq: 41 }),
    progress('a', { step: 2 }, { seq: 42 }),
  );
  assert.equal((await daemon.json('/api/training/history/a')).total, 2);
});

test('a run that has ended takes no more, until it is resumed', async (t) => {
  const daemon = await Daemon.start(t);
  const trainer = await training(daemon, 'a');
  await trainer.push(...steps('a', 1), { type: 'complete' });
  trainer.send(...steps('a', 1, 2));
  assert.equal((await trainer.answers.next())['code'], 'session_finished');
  await trainer.start('a', { resume: true });
  await trainer.push(...steps('a', 1, 3));
  const { data } = await daemon.json('/api/training/status/a');
  assert.deepEqual([data.status, data.latest_metrics.currentStep], ['running', 3]);
});

test('numbers that are none travel as null with their names', async (t) => {
  const daemon = await Daemon.start(t);
  const trainer = await training(daemon, 'a');
  const client = await Plain.open(daemon, '/ws?sessionId=a');
  trainer.write(
    '{"type":"progress","metrics":{"loss":NaN,"a":Infinity,"b":-Infinity,"c":1e999}}\n',
  );
  const { metrics } = await client.named('progress_update');
  assert.deepEqual([metrics.loss, metrics.a, metrics.b, metrics.c], [null, null, null, null]);
  assert.deepEqual(metrics.nonFinite, {
    loss: 'NaN',
    a: 'Infinity',
    b: '-Infinity',
    c: 'Infinity',
  });
});

test('two trainers may write one run, and a hundred thousand lines may come at once', async (t) => {
  const daemon = await Daemon.start(t);
  const [one, two] = [await training(daemon, 'a'), await training(daemon)];
  const lines = steps('a', 100_000).map((line) => `${JSON.stringify(line)}\n`);
  one.write(`${lines.join('')}{"type":"ping"}\n`);
  await two.push(...steps('a', 1000));
  await one.answers.until(({ type }) => type === 'pong');
  assert.equal(await daemon.counter('metrics_processed'), 101_000);
  assert.equal(await daemon.counter('lines_rejected'), 0);
});
