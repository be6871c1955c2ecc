// SPDX-License-Identifier: MIT
//
// What becomes of a connection that carries more than one request, or one in pieces.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Daemon } from './daemon.ts';
import { RawHttp, request } from './raw_http.ts';
import { steps, training } from './trainer.ts';

/** One record, posted. */
function ingest(step: number): string {
  const body = JSON.stringify(steps('a', 1, step)[0]);
  const headers = ['Content-Type: application/json', `Content-Length: ${body.length}`];
  return request('POST', '/api/training/ingest', ...headers) + body;
}

test('pipelined requests are answered in order', async (t) => {
  const daemon = await Daemon.start(t);
  await (await training(daemon, 'a')).push(...steps('a', 1));
  const http = await RawHttp.connect(daemon);
  const paths = Array.from({ length: 200 }, (_, i) =>
    i % 2 ? '/api/training/metrics/a' : '/none',
  );
  http.write(paths.map((path) => request('GET', path)).join(''));
  for (const path of paths) {
    assert.equal((await http.response()).status, path === '/none' ? 404 : 200, path);
  }
});

test('a connection carries bodies one after the other', async (t) => {
  const daemon = await Daemon.start(t);
  const http = await RawHttp.connect(daemon);
  for (let step = 1; step <= 20; step++) {
    http.write(ingest(step));
    assert.equal((await http.response()).status, 200);
    http.write(request('GET', '/api/training/metrics/a'));
    assert.equal(JSON.parse(String((await http.response()).body)).data.currentStep, step);
  }
});

test('a pipelined body is refused, not waited for', async (t) => {
  const daemon = await Daemon.start(t);
  const http = await RawHttp.connect(daemon);
  http.write(ingest(1) + ingest(2) + ingest(3));
  assert.equal((await http.response()).status, 200);
  const refusal = await http.response();
  assert.equal(refusal.status, 503);
  assert.equal(refusal.headers['connection'], 'close');
  await http.closed;
  assert.equal((await daemon.json('/api/training/metrics/a')).data.currentStep, 1);
});

test('a request that comes in single bytes is one request', async (t) => {
  const daemon = await Daemon.start(t);
  const http = await RawHttp.connect(daemon);
  for (const byte of ingest(1)) {
    await new Promise((written) => http.socket.write(byte, written));
  }
  assert.equal((await http.response()).status, 200);
});

test('a client that has said all it will still gets its answer', async (t) => {
  const daemon = await Daemon.start(t);
  const http = await RawHttp.connect(daemon);
  http.socket.end(request('GET', '/health'));
  assert.equal((await http.response()).status, 200);
  await http.closed;
});

test('HTTP/1.0 is answered, and kept open only when asked to', async (t) => {
  const daemon = await Daemon.start(t);
  const once = await RawHttp.connect(daemon);
  once.write('GET /health HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n');
  assert.equal((await once.response()).status, 200);
  await once.closed;
  const kept = await RawHttp.connect(daemon);
  for (let i = 0; i < 2; i++) {
    kept.write('GET /health HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\n\r\n');
    assert.equal((await kept.response()).status, 200);
  }
});
