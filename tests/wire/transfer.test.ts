// SPDX-License-Identifier: MIT
//
// Answers that come later or piece by piece, from the routes of tests/conformance/routes.h.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Daemon } from './daemon.ts';
import { RawHttp, request } from './raw_http.ts';

const megabyte = 1 << 20;

function streamed(bytes: number): Buffer {
  return Buffer.alloc(bytes, 'abcdefghijklmnopqrstuvwxyz');
}

const get = (path: string, ...headers: string[]) => request('GET', path, ...headers);

function post(path: string, body: string): string {
  return request('POST', path, `Content-Length: ${body.length}`, 'Content-Type: text/plain') + body;
}

/** Asks for more than any buffer holds and reads nothing of it. */
async function stalled(daemon: Daemon, count: number): Promise<RawHttp[]> {
  const clients: RawHttp[] = [];
  const before = await daemon.counter('transfers');
  for (let i = 0; i < count; i++) {
    const http = await RawHttp.connect(daemon);
    http.socket.pause();
    http.write(get('/test/stream/1000000000'));
    clients.push(http);
  }
  await daemon.until('transfers', before + count);
  return clients;
}

test('an answer may come later, to a GET and to a POST, again and again', async (t) => {
  const daemon = await Daemon.startConformance(t);
  const http = await RawHttp.connect(daemon);
  for (const ms of [0, 1, 20, 0, 1]) {
    http.write(get(`/test/later/${ms}`));
    assert.equal(String((await http.response()).body), 'later');
    http.write(post(`/test/later/${ms}`, `after ${ms}`));
    assert.equal(String((await http.response()).body), `after ${ms}`);
  }
  await daemon.until('transfers', 0);
});

test('a body of any length comes in chunks, and the connection goes on', async (t) => {
  const daemon = await Daemon.startConformance(t);
  const http = await RawHttp.connect(daemon);
  for (const bytes of [0, 1, 65_520, 65_521, 300_000, 8_000_000]) {
    http.write(get(`/test/stream/${bytes}`, 'Origin: http://localhost:3000'));
    const answer = await http.response();
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['transfer-encoding'], 'chunked');
    assert.equal(answer.headers['content-length'], undefined);
    assert.equal(answer.headers['connection'], 'keep-alive');
    assert.equal(answer.headers['access-control-allow-origin'], 'http://localhost:3000');
    assert(answer.body.equals(streamed(bytes)), `${bytes}`);
  }
});

test('HEAD gets the headers of GET and the connection goes on', async (t) => {
  const daemon = await Daemon.startConformance(t);
  const http = await RawHttp.connect(daemon);
  http.write(get('/test/stream/9') + request('HEAD', '/test/stream/9') + get('/test/stream/9'));
  const first = await http.response();
  const head = await http.response('HEAD');
  assert.deepEqual([head.status, head.headers], [first.status, first.headers]);
  assert.deepEqual(await http.response(), first);
});

test('for HTTP/1.0 and for Connection: close the connection ends with the body', async (t) => {
  const daemon = await Daemon.startConformance(t);
  const old = await RawHttp.connect(daemon);
  old.write(
    'GET /test/stream/3000000 HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\n\r\n',
  );
  const answer = await old.response();
  assert.equal(answer.headers['transfer-encoding'], undefined);
  assert.equal(answer.headers['connection'], 'close');
  assert((await old.rest()).equals(streamed(3_000_000)));
  const closing = await RawHttp.connect(daemon);
  closing.write(get('/test/stream/3000000', 'Connection: close'));
  const chunked = await closing.response();
  assert.equal(chunked.headers['connection'], 'close');
  assert(chunked.body.equals(streamed(3_000_000)));
  await closing.closed;
});

test('pipelined requests wait for the answers before theirs', async (t) => {
  const daemon = await Daemon.startConformance(t);
  const http = await RawHttp.connect(daemon);
  const [later, stream] = [get('/test/later/30'), get('/test/stream/1000000')];
  http.write(later + stream + get('/health') + stream);
  await http.taken(daemon);
  http.write(later + get('/health'));
  assert.equal(String((await http.response()).body), 'later');
  assert.equal((await http.response()).body.length, 1_000_000);
  assert.equal(JSON.parse(String((await http.response()).body)).status, 'healthy');
  assert.equal((await http.response()).body.length, 1_000_000);
  assert.equal(String((await http.response()).body), 'later');
  assert.equal((await http.response()).status, 200);
});

test('a client that has said all it will still gets its answer', async (t) => {
  const daemon = await Daemon.startConformance(t);
  for (const path of ['/test/later/50', '/test/stream/3000000']) {
    const http = await RawHttp.connect(daemon);
    http.socket.end(get(path));
    const { body } = await http.response();
    assert(body.equals(path.includes('later') ? Buffer.from('later') : streamed(3_000_000)));
    await http.closed;
  }
  assert((await daemon.cpuShare()) < 0.2);
});

test('clients that read nothing cost a piece each, and nobody waits for them', async (t) => {
  const daemon = await Daemon.startConformance(t);
  await stalled(daemon, 2);
  const before = daemon.rssBytes();
  await stalled(daemon, 40);
  assert(daemon.grewLess(40 * 0.2 * megabyte, before));
  assert((await daemon.cpuShare()) < 0.2);
  const http = await RawHttp.connect(daemon);
  http.write(get('/test/stream/5000000'));
  assert((await http.response()).body.equals(streamed(5_000_000)));
});

test('a client that was slow has lost nothing', async (t) => {
  const daemon = await Daemon.startConformance(t);
  const http = await RawHttp.connect(daemon);
  http.socket.pause();
  http.write(get('/test/stream/20000000') + get('/health'));
  await daemon.until('transfers', 1);
  http.socket.resume();
  assert((await http.response()).body.equals(streamed(20_000_000)));
  assert.equal((await http.response()).status, 200);
});

test('a client that goes amid an answer is noticed', async (t) => {
  const daemon = await Daemon.startConformance(t);
  for (const client of await stalled(daemon, 10)) client.socket.resetAndDestroy();
  await daemon.until('transfers', 0);
  for (const client of await stalled(daemon, 10)) client.socket.destroy();
  await daemon.until('transfers', 0);
  const waiting = await RawHttp.connect(daemon);
  waiting.write(get('/test/later/600000'));
  await daemon.until('transfers', 1);
  waiting.socket.resetAndDestroy();
  await daemon.until('transfers', 0);
  await daemon.until('connections', 1);
});

test('an answer that cannot be completed is cut, so that it shows', async (t) => {
  const daemon = await Daemon.startConformance(t);
  for (const bytes of [0, 10, 1_000_000]) {
    const http = await RawHttp.connect(daemon);
    http.write(get(`/test/broken/${bytes}`));
    await assert.rejects(http.response(), /connection ended/);
    await http.closed;
  }
  await daemon.until('transfers', 0);
});

test('SIGTERM lets the answers under way come to their end', async (t) => {
  const daemon = await Daemon.startConformance(t, '--drain-timeout-ms', '60000');
  const waiting = await RawHttp.connect(daemon);
  waiting.write(get('/test/later/300'));
  const slow = await RawHttp.connect(daemon);
  slow.socket.pause();
  slow.write(get('/test/stream/10000000'));
  await daemon.until('transfers', 2);
  daemon.signal('SIGTERM', 0);
  await daemon.logged(/draining/);
  assert.equal(String((await waiting.response()).body), 'later');
  await waiting.closed;
  slow.socket.resume();
  assert((await slow.response()).body.equals(streamed(10_000_000)));
  assert.equal(await daemon.exited, 0);
});

test('SIGTERM waits no longer than it should', async (t) => {
  const daemon = await Daemon.startConformance(t, '--drain-timeout-ms', '100');
  const [slow] = await stalled(daemon, 1);
  const waiting = await RawHttp.connect(daemon);
  waiting.write(get('/test/later/600000'));
  await daemon.until('transfers', 2);
  daemon.signal('SIGTERM', 0);
  assert.equal(await daemon.exited, 0);
  slow?.socket.destroy();
});

test('curl gets them whole in whatever HTTP it asks for', async (t) => {
  const daemon = await Daemon.startConformance(t);
  const run = promisify(execFile);
  const [later, stream] = [`${daemon.url}/test/later/20`, `${daemon.url}/test/stream/100000`];
  for (const version of ['--http1.0', '--http1.1', '--http2']) {
    const args = ['--silent', '--show-error', '--max-time', '15', version];
    const got = await run('curl', [...args, stream, later, stream, later]);
    assert.equal(got.stdout, `${streamed(100_000)}later${streamed(100_000)}later`, version);
    const posted = await run('curl', [...args, '--data', 'a=b', later, later]);
    assert.equal(posted.stdout, 'a=ba=b', version);
  }
});
