// SPDX-License-Identifier: MIT
//
// Steering a run from where it is watched (docs/protocol.md P-71): every road reaches the trainer, and
// a real one stops.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { Daemon, trainer as program } from './daemon.ts';
import { Plain } from './plain.ts';
import { connect } from './socketio.ts';
import { training } from './trainer.ts';
import { within } from './waiting.ts';

async function post(daemon: Daemon, id: string, body: object): Promise<any> {
  const answer = await daemon.fetch(`/api/training/control/${id}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { http: answer.status, ...(await answer.json()) };
}

test('a command reaches the trainers of its session alone, by every road', async (t) => {
  const daemon = await Daemon.start(t);
  const trainer = await training(daemon, 'a');
  const other = await training(daemon, 'b');
  const socketio = await connect(daemon);
  const polling = await connect(daemon, { transports: ['polling'] });
  const plain = await Plain.open(daemon);
  const hears = async (command: string, reason?: string) => {
    const { id, ...line }: any = await trainer.answers.until(({ type }) => type === 'control');
    assert.ok(id > 0);
    const expected = { type: 'control', sessionId: 'a', command, ...(reason && { reason }) };
    assert.deepEqual(line, expected);
  };
  const was = (via: string, answer: any, command: string) => {
    const { order, ...rest } = answer;
    assert.deepEqual(rest, { success: true, sessionId: 'a', command });
    assert.equal(order.state, 'told');
    assert.equal(order.trainers, 1);
    assert.deepEqual([order.who.via, order.who.caller], [via, 'anonymous']);
    assert.match(order.who.peer, /^127\.0\.0\.1:\d+$/);
  };

  const pause = { sessionId: 'a', command: 'pause', reason: 'tea "now"\n' };
  was('engine.io', await socketio.ask('control_session', pause), 'pause');
  await hears('pause', 'tea "now"\n');
  const { order, ...resumed } = await polling.ask('control_session', {
    sessionId: 'a',
    command: 'resume',
  });
  assert.deepEqual(resumed, { success: true, sessionId: 'a', command: 'resume' });
  assert.equal(order.who.via, 'engine.io');
  await hears('resume');
  plain.send('control_session', { sessionId: 'a', command: 'checkpoint' }, 7);
  was('plain', await plain.ack(7), 'checkpoint');
  await hears('checkpoint');
  const { http, ...stopped } = await post(daemon, 'a', { command: 'stop', reason: 'enough' });
  assert.equal(http, 200);
  was('http', stopped, 'stop');
  await hears('stop', 'enough');
  await other.push();
  assert.equal(other.answers.all.filter(({ type }) => type === 'control').length, 0);
});

test('curl is told why nobody was told, with a status to go by', async (t) => {
  const daemon = await Daemon.start(t);
  const trainer = await training(daemon, 'a', 'done');
  await trainer.push({ type: 'complete', sessionId: 'done' });
  const refused = async (id: string, body: object, http: number, error: string) => {
    assert.deepEqual(await post(daemon, id, body), { http, success: false, error });
  };
  const stop = { command: 'stop' };
  const words = 'command must be stop, pause, resume, checkpoint or set';
  await refused('nobody', stop, 404, 'Session not found');
  await refused('done', stop, 409, 'The run is over');
  await refused('a', {}, 400, words);
  await refused('a', { command: 'halt' }, 400, words);
  const reason = 'reason must be a string of at most 1024 bytes';
  await refused('a', { ...stop, reason: 'x'.repeat(1025) }, 400, reason);
  trainer.socket.destroy();
  await trainer.closed;
  await daemon.fetch('/health');
  await refused('a', stop, 409, 'No trainer of this session is connected');
  const foreign = await daemon.fetch('/api/training/control/a', {
    method: 'POST',
    headers: { origin: 'http://evil.example' },
    body: JSON.stringify(stop),
  });
  assert.equal(foreign.status, 403);
});

test('what the trainer answers is told, kept, and seen by a second page', async (t) => {
  const daemon = await Daemon.start(t, '--control-deadline-ms', '200');
  const trainer = await training(daemon);
  await trainer.start('a', { config: { knobs: { lr: { min: 0.001, max: 1, value: 0.5 } } } });
  const page = await connect(daemon);
  await page.ask('subscribe_session', { sessionId: 'a' });
  const state = async (wanted: string) => {
    let event: any;
    do event = await page.named('control');
    while (event.state !== wanted);
    return event;
  };
  const set = { command: 'set', knob: 'lr', value: 2 };
  const outside = await post(daemon, 'a', set);
  assert.equal(outside.http, 422);
  assert.equal(outside.error, 'lr must be a number from 0.001 to 1, not 2');
  const dry = await post(daemon, 'a', { command: 'stop', dry_run: true });
  assert.deepEqual([dry.http, dry.order.state, dry.order.trainers], [200, 'asked', 1]);

  await post(daemon, 'a', { ...set, value: 0.25 });
  const line: any = await trainer.answers.until(({ type }) => type === 'control');
  assert.deepEqual([line.command, line.knob, line.value], ['set', 'lr', 0.25]);
  await state('told');
  const answer = { type: 'answer', id: line.id, outcome: 'done', value: 0.25 };
  await trainer.push(answer);
  assert.equal((await state('done')).applied, 0.25);

  await post(daemon, 'a', { command: 'pause', client: 'a person' });
  await state('unanswered');
  const second = await connect(daemon);
  const status = async () => {
    await second.ask('subscribe_session', { sessionId: 'a' });
    return second.named('session_status');
  };
  const { knobs, control } = await status();
  assert.equal(knobs.lr.value, 0.25);
  assert.deepEqual(
    control.map(({ command, state }: any) => [command, state]),
    [['pause', 'unanswered']],
  );

  const audit = (await (await daemon.fetch('/api/training/control/a')).json()).data;
  assert.deepEqual(
    audit.orders.map(({ command, state, dryRun, who }: any) => [command, state, dryRun, who.via]),
    [
      ['pause', 'unanswered', false, 'http'],
      ['set', 'done', false, 'http'],
      ['stop', 'asked', true, 'http'],
      ['set', 'refused', false, 'http'],
    ],
  );
  assert.equal(audit.orders[0].who.client, 'a person');
  assert.match(audit.orders[1].who.client, /node/);
  assert.equal(trainer.answers.all.filter(({ type }) => type === 'control').length, 2);
});

test('an order is at its trainer within 50 ms', async (t) => {
  const daemon = await Daemon.start(t);
  const trainer = await training(daemon, 'a');
  const client = await connect(daemon);
  const took: number[] = [];
  for (let i = 0; i < 100; i++) {
    const began = performance.now();
    const asked = client.ask('control_session', { sessionId: 'a', command: 'checkpoint' });
    const { id }: any = await trainer.answers.until(({ type }) => type === 'control');
    took.push(performance.now() - began);
    await asked;
    await trainer.push({ type: 'answer', id, outcome: 'done' });
  }
  took.sort((a, b) => a - b);
  t.diagnostic(`p50 ${took[50]!.toFixed(2)} ms, p99 ${took[98]!.toFixed(2)} ms`);
  assert.ok(took[98]! < 50, `p99 is ${took[98]} ms`);
});

test('a real trainer obeys and answers, and its run is completed', async (t) => {
  const daemon = await Daemon.start(t);
  const client = await connect(daemon);
  const options = ['--quiet', '--models', '1', '--steps', '100000', '--session', 'real'];
  const child = spawn(program, [...options, '--socket', daemon.socketPath], { stdio: 'ignore' });
  daemon.defer(() => child.kill('SIGKILL'));
  const exit = once(child, 'exit');
  await client.ask('subscribe_session', { sessionId: 'real' });
  await client.named('progress_update');
  const told = async (command: string, outcome: string, more = {}) => {
    const asked = await client.ask('control_session', { sessionId: 'real', command, ...more });
    assert.equal(asked.success, true);
    let event: any;
    do event = await client.named('control');
    while (event.id !== asked.order.id || event.state !== outcome);
    return event;
  };
  const rate = { knob: 'learning_rate_factor', value: 0.5 };
  assert.equal((await told('set', 'done', rate)).applied, 0.5);
  const slower = ({ metrics }: any) => metrics.learning_rate === 0.0005;
  while (!slower(await client.named('progress_update')));
  await told('pause', 'done');
  await told('resume', 'done');
  await told('checkpoint', 'refused');
  await told('stop', 'done', { reason: 'seen enough' });
  await client.named('training_completed');
  assert.deepEqual(await within('the trainer to end', exit), [0, null]);
});
