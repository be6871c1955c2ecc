// SPDX-License-Identifier: MIT
//
// What one address may take; here loopback is one.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import test, { type TestContext } from 'node:test';
import { WebSocket } from 'ws';
import { Daemon } from './daemon.ts';
import { Plain } from './plain.ts';
import { within } from './waiting.ts';

const limited = (t: TestContext, ...options: string[]) =>
  Daemon.start(t, '--limit-loopback', ...options);

async function silent(daemon: Daemon, host: string): Promise<Socket> {
  const socket = connect(daemon.port, host);
  daemon.defer(() => socket.destroy());
  socket.on('error', () => {});
  await within('a connection', once(socket, 'connect'));
  return socket;
}

/** The status of a WebSocket handshake. */
async function upgraded(daemon: Daemon): Promise<number> {
  const socket = new WebSocket(`${daemon.url.replace('http', 'ws')}/ws`);
  socket.on('error', () => {});
  const status = new Promise<number>((resolve) => {
    socket.on('open', () => resolve(101));
    socket.on('unexpected-response', (_, answer) => resolve(answer.statusCode ?? 0));
  });
  return within('an answer', status).finally(() => socket.terminate());
}

test('connections past the limit of an address are closed, others come in', async (t) => {
  const daemon = await limited(t, '--max-address-connections', '5', '--listen', '127.0.0.2:0');
  const other = new URL(await daemon.listening.next());
  const held = await Promise.all([1, 2, 3, 4, 5].map(() => silent(daemon, '127.0.0.1')));
  const refused = await silent(daemon, '127.0.0.1');
  await within('the refusal', once(refused.resume(), 'close'));
  const socket = connect({
    port: Number(other.port),
    host: other.hostname,
    localAddress: '127.0.0.9',
  });
  socket.write('GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n');
  let text = '';
  for await (const piece of socket.setEncoding('utf8')) text += piece as string;
  assert.match(text, /^streamd_visits_refused 1$/m);
  held[0]?.destroy();
  await daemon.until('connections', 5);
});

test('requests past the limit of an address are answered with 429, and later ones again', async (t) => {
  const daemon = await limited(t, '--max-address-requests', '20');
  const statuses: number[] = [];
  let again: string | null = null;
  for (let i = 0; i < 70; i++) {
    const answer = await daemon.fetch('/health');
    statuses.push(answer.status);
    again = answer.headers.get('retry-after') ?? again;
  }
  assert(statuses.slice(0, 40).every((status) => status === 200));
  assert(statuses.includes(429));
  assert.equal(again, '1');
  await within(
    'an answer',
    (async () => {
      while ((await daemon.fetch('/health')).status !== 200);
    })(),
  );
  let handshake = 101;
  for (let i = 0; i < 70 && handshake === 101; i++) handshake = await upgraded(daemon);
  assert.equal(handshake, 429);
});

test('messages past it close with 1013', async (t) => {
  const daemon = await limited(t, '--max-address-requests', '20');
  const watcher = await Plain.open(daemon);
  for (let i = 0; i < 100; i++) watcher.send('unsubscribe_session', { sessionId: 'a' });
  assert.equal((await watcher.closed).code, 1013);
});

test('bytes past the limit of an address are answered with 429', async (t) => {
  const daemon = await limited(t, '--max-address-bytes', '10000');
  const post = (bytes: number) =>
    daemon.fetch('/api/training/ingest', {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: '\n'.repeat(bytes),
    });
  assert.equal((await post(5000)).status, 200);
  assert.equal((await post(300_000)).status, 429);
});
