// SPDX-License-Identifier: MIT
//
// A trainer at a distance: the lines of the Unix socket over a WebSocket (docs/protocol.md P-15).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { temporaryFolder } from './child.ts';
import { Daemon, streamd } from './daemon.ts';
import type { Answer } from './trainer.ts';
import { eventually, Inbox, within } from './waiting.ts';

class Feed {
  readonly answers = new Inbox<Answer>('an answer over the WebSocket');
  readonly closed: Promise<number>;
  readonly socket: WebSocket;
  #unfinished = '';

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('message', (data) => this.#take(String(data)));
    this.closed = once(socket, 'close').then(([code]) => code as number);
  }

  static async open(daemon: Daemon): Promise<Feed> {
    const url = `ws://127.0.0.1:${daemon.port}/api/training/ingest`;
    const feed = new Feed(new WebSocket(url));
    daemon.defer(() => feed.socket.terminate());
    await within('the WebSocket to open', once(feed.socket, 'open'));
    return feed;
  }

  #take(bytes: string): void {
    const lines = (this.#unfinished + bytes).split('\n');
    this.#unfinished = lines.pop() ?? '';
    for (const line of lines) this.answers.put(JSON.parse(line) as Answer);
  }

  async hears(type: string): Promise<Answer> {
    return this.answers.until((answer) => answer.type === type);
  }
}

const start = { type: 'start', sessionId: 'far' };
const line = (seq: number) => ({
  type: 'progress',
  sessionId: 'far',
  seq,
  metrics: { step: seq, loss: 1 },
});

async function steps(daemon: Daemon): Promise<number[]> {
  const { data } = await daemon.json('/api/training/history/far?limit=100000');
  return data.map((entry: { currentStep: number }) => entry.currentStep);
}

test('a trainer speaks its lines over a WebSocket, and hears what one here would', async (t) => {
  const daemon = await Daemon.start(t);
  const feed = await Feed.open(daemon);
  feed.socket.send(JSON.stringify(start));
  assert.deepEqual(await feed.hears('started'), { type: 'started', sessionId: 'far', lastSeq: 0 });
  feed.socket.send(`${JSON.stringify(line(1))}\n${JSON.stringify(line(2))}`);
  assert.deepEqual(await feed.hears('ack'), { type: 'ack', sessionId: 'far', seq: 2 });
  const bytes = Buffer.from(`${JSON.stringify(line(3))}\n{"type":"ping"}\n`);
  for (const byte of bytes) feed.socket.send(Buffer.from([byte]));
  await feed.hears('pong');
  assert.deepEqual(await steps(daemon), [1, 2, 3]);
  const stop = { method: 'POST', headers: { 'content-type': 'application/json' } };
  const told = await daemon.fetch('/api/training/control/far', {
    ...stop,
    body: '{"command":"stop","reason":"enough"}',
  });
  assert.equal(told.status, 200);
  const control = { type: 'control', sessionId: 'far', id: 1, command: 'stop', reason: 'enough' };
  assert.deepEqual(await feed.hears('control'), control);
});

test('where tokens are asked for, it takes one that may write', async (t) => {
  const file = join(temporaryFolder(t), 'tokens');
  const make = (name: string, scope: string) =>
    String(execFileSync(streamd, ['token', name, '--scope', scope, '--file', file])).trim();
  const [reader, writer] = [make('reader', 'read,control'), make('writer', 'write')];
  const daemon = await Daemon.start(t, '--token-file', file, '--require-token');
  const url = `ws://127.0.0.1:${daemon.port}/api/training/ingest`;
  const outcome = async (headers: object) => {
    const socket = new WebSocket(url, { headers: { ...headers } });
    daemon.defer(() => socket.terminate());
    const refused = once(socket, 'unexpected-response').then(([, answer]) => answer.statusCode);
    return within('an answer', Promise.race([refused, once(socket, 'open').then(() => 101)]));
  };
  assert.equal(await outcome({}), 401);
  assert.equal(await outcome({ authorization: 'Bearer st_wrong' }), 401);
  assert.equal(await outcome({ authorization: `Bearer ${reader}` }), 403);
  assert.equal(await outcome({ authorization: `Bearer ${writer}` }), 101);
});

test('what was said just before the connection ended is taken', async (t) => {
  const daemon = await Daemon.start(t);
  const feed = await Feed.open(daemon);
  feed.socket.send(JSON.stringify(start));
  const all = Array.from({ length: 3000 }, (_, i) => line(i + 1));
  feed.socket.send(Buffer.from(all.map((l) => `${JSON.stringify(l)}\n`).join('')));
  feed.socket.close();
  await within('the goodbye', feed.closed);
  await eventually('all lines', async () => (await steps(daemon)).length === all.length);
});

test('it counts as a trainer, and one too many is told to come later', async (t) => {
  const daemon = await Daemon.start(t, '--max-trainers', '1');
  const first = await Feed.open(daemon);
  const second = await Feed.open(daemon);
  assert.equal(await within('the refusal', second.closed), 1013);
  first.socket.close();
  await within('the goodbye', first.closed);
  await eventually('a free place', async () => {
    const third = await Feed.open(daemon);
    third.socket.send('{"type":"ping"}');
    return Promise.race([third.hears('pong').then(() => true), third.closed.then(() => false)]);
  });
});

test('who hears nothing and floods is held up, then closed, and nobody else notices', async (t) => {
  const daemon = await Daemon.start(t);
  const feed = await Feed.open(daemon);
  const other = await Feed.open(daemon);
  // Every line is answered; the answers are not read, so the trainer is not read either.
  feed.socket.pause();
  const bad = Buffer.from('{"type":"nonsense"}\n'.repeat(20_000));
  let closed = false;
  void feed.closed.then(() => (closed = true));
  for (let i = 0; i < 200 && !closed; i++) {
    await new Promise((sent) => feed.socket.send(bad, sent));
    other.socket.send('{"type":"ping"}');
    await other.hears('pong');
  }
  feed.socket.resume();
  // Who is still sending when the connection is dropped hears no goodbye.
  assert([1009, 1006].includes(await within('to be closed', feed.closed)));
});
