// SPDX-License-Identifier: MIT
//
// What the daemon costs, and how much it lets itself be asked for. Figures are printed, not judged:
// they depend on the machine; `make bench` measures them with care.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { Daemon } from './daemon.ts';
import { EventStream } from './event_stream.ts';
import { Plain } from './plain.ts';
import { Poller } from './poller.ts';
import { RawHttp, request } from './raw_http.ts';
import { frame, RawWs, TEXT } from './raw_ws.ts';
import { steps, Trainer, training } from './trainer.ts';
import { eventually } from './waiting.ts';

test('it starts at once and is small', async (t) => {
  const began = performance.now();
  const daemon = await Daemon.start(t);
  const startMs = performance.now() - began;
  await daemon.json('/health');
  const idle = daemon.rssBytes();
  const many = 500;
  for (let i = 0; i < many; i++) await RawWs.open(daemon, '/ws?sessionId=a');
  const each = (daemon.rssBytes() - idle) / many;
  t.diagnostic(`start ${startMs.toFixed(0)} ms, the spawning included`);
  t.diagnostic(`resident when idle ${(idle / 1e6).toFixed(1)} MB`);
  t.diagnostic(`resident for each of ${many} idle watchers ${(each / 1000).toFixed(2)} kB`);
  assert(startMs < 5000 && idle < 200e6 && each < 100e3);
});

test('what peers can make it hold is said at the start, and stays the same', async (t) => {
  const daemon = await Daemon.start(t, '--max-sessions', '7');
  const { data } = await daemon.json('/api/training/stats');
  const { total, sessions } = data.memory_bound;
  assert.match(daemon.log, new RegExp(`can make it hold bytes=${total} .*sessions=${sessions} `));
});

test('an update of ten rooms is one write for who is in all of them', async (t) => {
  const daemon = await Daemon.start(t);
  const runs = Array.from({ length: 10 }, (_, i) => `run${i}`);
  const trainer = await training(daemon, ...runs);
  const client = await Plain.open(daemon, `/ws?${runs.map((id) => `sessionId=${id}`).join('&')}`);
  while (client.seen('session_status').length < 10) await client.events.next();
  const before = [await daemon.counter('writes'), await daemon.counter('messages_sent')];
  trainer.send(...runs.flatMap((id) => steps(id, 1)));
  while (client.seen('progress_update').length < 10) await client.events.next();
  const after = [await daemon.counter('writes'), await daemon.counter('messages_sent')];
  assert.deepEqual([after[0]! - before[0]!, after[1]! - before[1]!], [1, 10]);
});

test('clients that wait cost no processor time, there or gone', async (t) => {
  const daemon = await Daemon.start(t);
  const clients: { destroy(): void }[] = [];
  for (let i = 0; i < 20; i++) {
    const poll = await RawHttp.connect(daemon);
    poll.write(request('GET', (await Poller.connected(daemon)).path));
    const stream = await RawHttp.connect(daemon);
    stream.write(request('GET', '/api/training/events/a'));
    const ws = await RawWs.open(daemon, '/ws?sessionId=a');
    const idle = await RawHttp.connect(daemon);
    const halfway = await RawHttp.connect(daemon);
    halfway.write('GET /health HTTP/1.1\r\nHo');
    clients.push(poll.socket, stream.socket, ws.http.socket, idle.socket, halfway.socket);
    await halfway.taken(daemon);
  }
  assert.equal(await daemon.counter('peers'), 60);
  const waiting = await daemon.cpuShare();
  clients.forEach((socket) => socket.destroy());
  await daemon.until('peers', 0);
  const gone = await daemon.cpuShare();
  t.diagnostic(`processor share with 100 that wait ${waiting.toFixed(3)}, gone ${gone.toFixed(3)}`);
  assert(waiting < 0.1 && gone < 0.1);
});

test('a parked poll with more to read behind it costs no processor time', async (t) => {
  const daemon = await Daemon.start(t);
  const poller = await Poller.connected(daemon);
  const http = await RawHttp.connect(daemon);
  http.write(request('GET', poller.path));
  await http.taken(daemon);
  http.write(request('GET', '/health').repeat(100));
  await http.taken(daemon);
  assert((await daemon.cpuShare()) < 0.1);
  http.socket.destroy();
  await poller.send('1');
  await daemon.until('peers', 0);
  assert((await daemon.cpuShare()) < 0.1);
});

test('no connection leaves a descriptor behind, however it ends', async (t) => {
  const daemon = await Daemon.start(t);
  const open = () => readdirSync(`/proc/${daemon.pid}/fd`).length;
  await daemon.json('/health');
  const before = open();
  const whole = frame(TEXT, '{"event":"subscribe_session","data":{"sessionId":"a"}}');
  for (let i = 0; i < 100; i++) {
    const ws = await RawWs.open(daemon, '/ws?sessionId=a');
    ws.http.write(whole.subarray(0, i % whole.length));
    if (i % 2) ws.http.socket.resetAndDestroy();
    else ws.http.socket.end();
    const http = await RawHttp.connect(daemon);
    http.write(request('GET', '/api/training/events/a').slice(0, i));
    if (i % 2) http.socket.end();
    else http.socket.resetAndDestroy();
    const stream = await EventStream.open(daemon, 'a');
    stream.close();
    const trainer = await training(daemon, 'a');
    trainer.write('{"type":"prog');
    trainer.socket.destroy();
  }
  await daemon.until('peers', 0);
  await daemon.until('trainers', 0);
  await eventually('the descriptors to be given back', () => open() <= before + 2);
});

test('more watchers than --max-connections are hung up on, until one leaves', async (t) => {
  const daemon = await Daemon.start(t, '--max-connections', '5');
  const kept = [];
  for (let i = 0; i < 5; i++) kept.push(await RawWs.open(daemon));
  const sixth = await RawHttp.connect(daemon);
  await sixth.closed;
  kept[0]?.http.socket.destroy();
  for (;;) {
    const next = await RawHttp.connect(daemon);
    next.write(request('GET', '/metrics', 'Connection: close'));
    const answer = String(await next.rest());
    if (answer === '') continue;
    assert(Number(/^streamd_connections_refused (\d+)$/m.exec(answer)?.[1]) >= 1);
    break;
  }
});

test('more trainers than --max-trainers are hung up on, until one leaves', async (t) => {
  const daemon = await Daemon.start(t, '--max-trainers', '2');
  const first = await training(daemon, 'a');
  await training(daemon, 'b');
  await (
    await Trainer.connect(daemon)
  ).closed;
  first.socket.destroy();
  await daemon.until('trainers', 1);
  await training(daemon, 'c');
});

test('every route is on every listener', async (t) => {
  const daemon = await Daemon.start(t, '--listen', '127.0.0.2:0');
  const url = await daemon.listening.next();
  assert.match(url, /^http:\/\/127\.0\.0\.2:\d+$/);
  await (await training(daemon, 'a')).push(...steps('a', 1));
  for (const path of [
    '/health',
    '/api/training/metrics/a',
    '/socket.io/?EIO=4&transport=polling',
  ]) {
    assert.equal((await fetch(url + path)).status, 200, path);
  }
});
