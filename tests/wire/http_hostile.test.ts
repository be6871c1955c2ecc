// SPDX-License-Identifier: MIT
//
// Requests made to be understood in two ways. Each is followed by a second request that a fooled
// server would answer: it must never be.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Daemon } from './daemon.ts';
import { exchange, RawHttp, request, statuses } from './raw_http.ts';
import { training } from './trainer.ts';

const host = 'Host: 127.0.0.1\r\n';
const smuggled = request('GET', '/metrics');

function post(...headers: string[]): string {
  return request('POST', '/api/training/ingest', 'Content-Type: application/x-ndjson', ...headers);
}

function get(target: string, ...headers: string[]): string {
  return request('GET', target, ...headers);
}

/** Sends each case on a connection of its own; all that may come back is `status` and the end. */
async function refused(daemon: Daemon, status: number, cases: Record<string, string>) {
  for (const [name, bytes] of Object.entries(cases)) {
    const answer = await exchange(daemon, bytes);
    assert.deepEqual(statuses(answer), [status], name);
    assert.doesNotMatch(answer, /streamd_peers/, name);
  }
}

test('a body of unclear length is refused and never read as a request', async (t) => {
  const daemon = await Daemon.start(t);
  const chunks = `0\r\n\r\n${smuggled}`;
  await refused(daemon, 501, {
    chunked: post('Transfer-Encoding: chunked') + chunks,
    'chunked and a length': post('Content-Length: 5', 'Transfer-Encoding: chunked') + chunks,
    'a length and chunked': post('Transfer-Encoding: chunked', 'Content-Length: 5') + chunks,
    'unknown coding': post('Transfer-Encoding: xchunked', 'Content-Length: 5') + chunks,
    identity: post('Transfer-Encoding: identity', 'Content-Length: 5') + chunks,
    'two codings': post('Transfer-Encoding: gzip, chunked') + chunks,
    'tab before the value': post('Transfer-Encoding:\tchunked') + chunks,
    'control before the value': post('Transfer-Encoding:\x0bchunked', 'Content-Length: 5') + chunks,
    'upper case': post('TRANSFER-ENCODING: CHUNKED') + chunks,
    'no value': post('Transfer-Encoding:', 'Content-Length: 5') + chunks,
    'on a GET': get('/health', 'Transfer-Encoding: chunked') + chunks,
  });
  await refused(daemon, 400, {
    'two lengths': post('Content-Length: 5', 'Content-Length: 6') + `hello${smuggled}`,
    'the same length twice': post('Content-Length: 5', 'Content-Length: 5') + `hello${smuggled}`,
    'a list of lengths': post('Content-Length: 5, 5') + `hello${smuggled}`,
    'plus sign': post('Content-Length: +5') + `hello${smuggled}`,
    negative: post('Content-Length: -1') + `hello${smuggled}`,
    hexadecimal: post('Content-Length: 0x5') + `hello${smuggled}`,
    'beyond 64 bits': post('Content-Length: 18446744073709551621') + `hello${smuggled}`,
    word: post('Content-Length: five') + `hello${smuggled}`,
    'two numbers': post('Content-Length: 5 5') + `hello${smuggled}`,
    'space before the colon': post('Content-Length : 5') + `hello${smuggled}`,
    'coding, space before the colon':
      post('Transfer-Encoding : chunked', 'Content-Length: 5') + chunks,
  });
  await refused(daemon, 411, {
    'no length': post() + smuggled,
    'empty length': post('Content-Length:') + smuggled,
  });
});

test('a method that takes no body is refused with one', async (t) => {
  const daemon = await Daemon.start(t);
  const body = `${host}Content-Length: ${smuggled.length}\r\n\r\n${smuggled}`;
  const cases: Record<string, string> = {};
  for (const method of ['GET', 'HEAD', 'OPTIONS']) {
    cases[method] = `${method} /health HTTP/1.1\r\n${body}`;
  }
  await refused(daemon, 400, cases);
});

test('a body that will not be used is still no request', async (t) => {
  const daemon = await Daemon.start(t);
  for (const line of [
    'POST /nowhere',
    'PUT /health',
    'PATCH /api/training/ingest',
    'DELETE /api/v1/operations/nobody',
  ]) {
    const http = await RawHttp.connect(daemon);
    http.write(`${line} HTTP/1.1\r\n${host}Content-Length: ${smuggled.length}\r\n\r\n${smuggled}`);
    http.write(get('/health', 'Connection: close'));
    const answer = (await http.rest()).toString();
    assert.equal(statuses(answer).length, 2, line);
    assert.doesNotMatch(answer, /streamd_peers/, line);
    assert.match(answer, /"healthy"/, line);
  }
});

test('a body over the limit is refused before it is read', async (t) => {
  const daemon = await Daemon.start(t, '--max-payload', '2000');
  await refused(daemon, 413, {
    announced: post('Content-Length: 2001'),
    'a terabyte': post('Content-Length: 1000000000000'),
  });
  const whole = await exchange(daemon, post('Content-Length: 2001') + 'x'.repeat(2001) + smuggled);
  assert.deepEqual(statuses(whole), [413]);
});

test('a packed body is refused', async (t) => {
  const daemon = await Daemon.start(t);
  const packed = post('Content-Encoding: gzip', 'Content-Length: 5') + `hello${smuggled}`;
  await refused(daemon, 415, { gzip: packed });
});

test('only a Host of ours is served, and exactly one', async (t) => {
  const daemon = await Daemon.start(t, '--allow-origin', 'https://gpu.example:8443');
  const ask = async (lines: string) => {
    const all = `GET /health HTTP/1.1\r\n${lines}Connection: close\r\n\r\n`;
    return statuses(await exchange(daemon, all))[0];
  };
  for (const name of ['127.0.0.1', 'localhost:5001', 'LOCALHOST', '[::1]:80', 'gpu.example']) {
    assert.equal(await ask(`Host: ${name}\r\n`), 200, name);
  }
  for (const name of ['evil.example', 'localhost.evil.example', 'evilgpu.example']) {
    assert.equal(await ask(`Host: ${name}\r\n`), 421, name);
  }
  assert.equal(await ask('Host: 127.0.0.1/evil\r\n'), 400);
  assert.equal(await ask(''), 400);
  assert.equal(await ask('Host:\r\n'), 400);
  assert.equal(await ask('Host: 127.0.0.1\r\nHost: evil.example\r\n'), 400);
});

test('what is not HTTP/1 is refused or hung up on', async (t) => {
  const daemon = await Daemon.start(t);
  const cases: Record<string, string | Buffer> = {
    'HTTP/0.9': 'GET /health\r\n\r\n',
    'HTTP/9.9': `GET /health HTTP/9.9\r\n${host}\r\n`,
    'HTTP/2.0': `GET /health HTTP/2.0\r\n${host}\r\n`,
    'unknown method': `BREW /health HTTP/1.1\r\n${host}\r\n`,
    'no path': `GET HTTP/1.1\r\n${host}\r\n`,
    preface: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'a TLS hello': Buffer.concat([Buffer.from('16030100c8010000c40303', 'hex'), Buffer.alloc(193)]),
    tunnel: `CONNECT 127.0.0.1:22 HTTP/1.1\r\n${host}\r\nSSH-2.0-x\r\n`,
    'NUL in the path': get('/health%00'),
    'bad escape': get('/health%zz'),
    'folded Host': 'GET /health HTTP/1.1\r\n Host: 127.0.0.1\r\n\r\n',
    'a path of 9 kB': get(`/${'a'.repeat(9000)}`),
    'a header of 1 MB': get('/health', `Cookie: ${'a'.repeat(1 << 20)}`),
  };
  for (const [name, bytes] of Object.entries(cases)) {
    const answered = statuses(await exchange(daemon, bytes));
    assert(answered.length <= 1 && (answered[0] ?? 400) >= 400, `${name}: ${answered}`);
  }
});

test('a request to speak HTTP/2 is answered in HTTP/1.1, and the connection goes on', async (t) => {
  const daemon = await Daemon.start(t);
  const upgrade = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c'];
  const settings = 'HTTP2-Settings: AAMAAABkAAQAAP__';
  const http = await RawHttp.connect(daemon);
  const asked = get('/health', ...upgrade, settings);
  http.write(asked + asked);
  assert.equal((await http.response()).status, 200);
  assert.equal((await http.response()).status, 200);
  http.write(get('/api/training/events/a', ...upgrade, settings));
  assert.equal((await http.response()).status, 200);
  await daemon.until('peers', 1);
  await training(daemon, 'a');
  const event = 'event: training_started\n';
  assert.equal(String(await http.bytes(event.length)), event);
});

test('nothing of a path or query gets into the headers of the answer', async (t) => {
  const daemon = await Daemon.start(t);
  for (const target of ['/x%0d%0aX-Evil:%201', '/health?a=%0d%0aX-Evil:%201', '//evil.example/']) {
    const answer = await exchange(daemon, get(target, 'Connection: close'));
    assert.doesNotMatch(answer, /^(X-Evil|Location)/im, target);
    assert.doesNotMatch(answer, /^HTTP\/1\.1 30/, target);
  }
});
