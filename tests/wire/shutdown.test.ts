// SPDX-License-Identifier: MIT
//
// SIGTERM: nobody new, what waits is sent, everybody hears 1001 and the daemon leaves with 0.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { Daemon } from './daemon.ts';
import { EventStream } from './event_stream.ts';
import { Plain } from './plain.ts';
import { PacketSocket, Poller } from './poller.ts';
import { RawHttp, request } from './raw_http.ts';
import { connect } from './socketio.ts';
import { steps, training } from './trainer.ts';

test('every kind of client is told, and the daemon leaves with 0', async (t) => {
  const daemon = await Daemon.start(t);
  const trainer = await training(daemon, 'a');
  const plain = await Plain.open(daemon, '/ws?sessionId=a');
  const packets = await PacketSocket.connected(daemon);
  const viewer = await connect(daemon, { reconnection: false });
  const stream = await EventStream.open(daemon, 'a');
  const poller = await Poller.connected(daemon);
  const poll = await RawHttp.connect(daemon);
  poll.write(request('GET', poller.path));
  await poll.taken(daemon);
  daemon.signal('SIGTERM', 0);
  const goodbye = { code: 1001, reason: 'server is going away' };
  assert.deepEqual(await plain.closed, goodbye);
  assert.deepEqual(await packets.closed, goodbye);
  assert.match(await viewer.named('disconnect'), /^transport (close|error)$/);
  assert.equal((await stream.named('error')).data.message, 'server is going away');
  assert.equal(String((await poll.response()).body), '1');
  await trainer.closed;
  assert.equal(await daemon.exited, 0);
  assert(!existsSync(daemon.socketPath));
});

test('what waits is sent before the goodbye', async (t) => {
  const daemon = await Daemon.start(t, '--max-rate', '0.1');
  const trainer = await training(daemon, 'a');
  const client = await Plain.open(daemon, '/ws?sessionId=a');
  const stream = await EventStream.open(daemon, 'a');
  await trainer.push(...steps('a', 1));
  await client.named('progress_update');
  await stream.named('progress_update');
  await trainer.push(...steps('a', 9, 2));
  daemon.signal('SIGTERM', 0);
  assert.equal((await client.named('progress_update')).metrics.currentStep, 10);
  assert.equal((await stream.named('progress_update')).data.metrics.currentStep, 10);
  assert.equal((await client.closed).code, 1001);
});

test('lines that were read are taken, and a trainer in the middle of one is let go', async (t) => {
  const daemon = await Daemon.start(t);
  const trainer = await training(daemon, 'a');
  await trainer.push(...steps('a', 1));
  trainer.send({ type: 'progress', seq: 7, metrics: { loss: 1 } }, { type: 'ping' });
  trainer.write('{"type":"progress","seq":8,');
  await trainer.answers.until(({ type }) => type === 'pong');
  daemon.signal('SIGTERM', 0);
  await trainer.closed;
  assert(trainer.answers.all.some(({ type, seq }) => type === 'ack' && seq === 7));
});

test('nobody new is let in while clients are leaving', async (t) => {
  const daemon = await Daemon.start(t, '--drain-timeout-ms', '60000');
  const client = await Plain.open(daemon);
  const idle = await RawHttp.connect(daemon);
  await idle.taken(daemon);
  client.socket.pause();
  daemon.signal('SIGTERM', 0);
  await assert.rejects(async () => {
    for (;;) await daemon.fetch('/health');
  });
  client.socket.resume();
  assert.equal((await client.closed).code, 1001);
});

test('a client that does not leave is not waited for', async (t) => {
  const daemon = await Daemon.start(t, '--drain-timeout-ms', '100');
  const client = await Plain.open(daemon);
  client.socket.pause();
  const began = performance.now();
  daemon.signal('SIGTERM', 0);
  assert.equal(await daemon.exited, 0);
  assert(performance.now() - began < 3000);
});

test('a second signal ends it at once', async (t) => {
  for (const second of ['SIGTERM', 'SIGINT'] as const) {
    const daemon = await Daemon.start(t, '--drain-timeout-ms', '60000');
    const client = await Plain.open(daemon);
    client.socket.pause();
    daemon.signal('SIGTERM', 0);
    await daemon.logged(/draining/);
    daemon.signal(second, 0);
    assert.equal(await daemon.exited, 0);
  }
});

test('SIGINT is as good as SIGTERM', async (t) => {
  const daemon = await Daemon.start(t);
  const client = await Plain.open(daemon);
  daemon.signal('SIGINT', 0);
  assert.equal((await client.closed).code, 1001);
});

test('SIGHUP without files to read again, and SIGPIPE, change nothing', async (t) => {
  const daemon = await Daemon.start(t);
  const trainer = await training(daemon, 'a');
  const client = await Plain.open(daemon, '/ws?sessionId=a');
  daemon.signal('SIGHUP');
  daemon.signal('SIGPIPE');
  await daemon.logged(/SIGHUP/);
  await trainer.push(...steps('a', 1));
  await client.named('progress_update');
});

test('SIGUSR1 writes the counters to the log', async (t) => {
  const daemon = await Daemon.start(t);
  await Plain.open(daemon);
  daemon.signal('SIGUSR1');
  await daemon.logged(/peers_opened=1\b/);
  await daemon.logged(/loop_held_max_us=[1-9]/);
});

test('a daemon that was stopped and continued goes on', async (t) => {
  const daemon = await Daemon.start(t, '--ping-interval-ms', '400', '--ping-timeout-ms', '400');
  const trainer = await training(daemon, 'a');
  const client = await Plain.open(daemon, '/ws?sessionId=a');
  const idle = await connect(daemon);
  daemon.signal('SIGSTOP');
  await daemon.stopped();
  await new Promise((later) => setTimeout(later, 1000));
  daemon.signal('SIGCONT');
  await trainer.push(...steps('a', 1));
  await client.named('progress_update');
  assert.equal((await idle.ask('subscribe_session', { sessionId: 'a' })).success, true);
});
