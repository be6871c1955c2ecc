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
    const line = await trainer.answers.until(({ type }) => type === 'control');
    const expected = { type: 'control', sessionId: 'a', command, ...(reason && { reason }) };
    assert.deepEqual(line, expected);
  };
  const told = { success: true, sessionId: 'a' };

  const pause = { sessionId: 'a', command: 'pause', reason: 'tea "now"\n' };
  assert.deepEqual(await socketio.ask('control_session', pause), told);
  await hears('pause', 'tea "now"\n');
  assert.deepEqual(
    await polling.ask('control_session', { sessionId: 'a', command: 'resume' }),
    told,
  );
  await hears('resume');
  plain.send('control_session', { sessionId: 'a', command: 'checkpoint' }, 7);
  assert.deepEqual(await plain.ack(7), told);
  await hears('checkpoint');
  assert.deepEqual(await post(daemon, 'a', { command: 'stop', reason: 'enough' }), {
    http: 200,
    ...told,
    command: 'stop',
  });
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
  const words = 'command must be stop, pause, resume or checkpoint';
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

test('a real trainer stops, and its run is completed', async (t) => {
  const daemon = await Daemon.start(t);
  const client = await connect(daemon);
  const options = ['--quiet', '--models', '1', '--steps', '100000', '--session', 'real'];
  const child = spawn(program, [...options, '--socket', daemon.socketPath], { stdio: 'ignore' });
  daemon.defer(() => child.kill('SIGKILL'));
  const exit = once(child, 'exit');
  await client.ask('subscribe_session', { sessionId: 'real' });
  await client.named('progress_update');
  const order = { sessionId: 'real', command: 'stop', reason: 'seen enough' };
  assert.deepEqual(await client.ask('control_session', order), {
    success: true,
    sessionId: 'real',
  });
  await client.named('training_completed');
  assert.deepEqual(await within('the trainer to end', exit), [0, null]);
});
