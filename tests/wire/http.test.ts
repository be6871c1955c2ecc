// SPDX-License-Identifier: MIT
//
// The routes as any HTTP client sees them. What tries to break HTTP itself is in
// http_hostile.test.ts.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { temporaryFolder } from './child.ts';
import { Daemon } from './daemon.ts';
import { RawHttp, request } from './raw_http.ts';
import { steps, training } from './trainer.ts';

const reads = [
  '/api/training/sessions',
  '/api/training/sessions/a',
  '/api/training/status/a',
  '/api/training/metrics/a',
  '/api/training/history/a',
  '/api/training/stats',
  '/api/phases/cognate?sessionId=a',
  '/api/cognate/status/a',
  '/api/progress/a',
  '/health',
  '/metrics',
];

test('every route answers GET, and HEAD with the same headers and no body', async (t) => {
  const daemon = await Daemon.start(t);
  await (await training(daemon, 'a')).push(...steps('a', 3));
  const http = await RawHttp.connect(daemon);
  for (const path of reads) {
    http.write(request('GET', path) + request('HEAD', path));
    const got = await http.response('GET');
    const head = await http.response('HEAD');
    assert.deepEqual([got.status, head.status], [200, 200], path);
    assert(got.body.length > 0, path);
    assert.deepEqual(Object.keys(head.headers), Object.keys(got.headers), path);
    assert(Number(head.headers['content-length']) > 0, path);
  }
});

test('a run that nobody knows is told apart route by route', async (t) => {
  const daemon = await Daemon.start(t);
  const answers = await Promise.all(
    ['status', 'metrics', 'history'].map(async (route) => {
      const response = await daemon.fetch(`/api/training/${route}/unknown`);
      return [response.status, await response.json()];
    }),
  );
  const { epoch } = answers[2]![1];
  assert.match(epoch, /^[0-9a-f]{16}$/);
  assert.deepEqual(answers, [
    [404, { success: false, error: 'Session not found' }],
    [404, { success: false, error: 'No metrics found' }],
    [200, { success: true, data: [], sessionId: 'unknown', epoch, total: 0 }],
  ]);
});

test('status, metrics and history show the newest record at once', async (t) => {
  const daemon = await Daemon.start(t, '--max-rate', '0.1');
  const trainer = await training(daemon, 'a');
  for (const step of [1, 2, 3]) {
    await trainer.push(...steps('a', 1, step));
    const status = await daemon.json('/api/training/status/a');
    const metrics = await daemon.json('/api/training/metrics/a');
    const history = await daemon.json('/api/training/history/a');
    assert.equal(status.data.latest_metrics.currentStep, step);
    assert.equal(metrics.data.currentStep, step);
    assert.deepEqual(
      history.data.map((entry: { currentStep: number }) => entry.currentStep),
      [1, 2, 3].slice(0, step),
    );
  }
});

test('what no route takes is 404, and a method it does not take 405 with Allow', async (t) => {
  const daemon = await Daemon.start(t);
  const http = await RawHttp.connect(daemon);
  const cases: [string, string, number, string?][] = [
    ['GET', '/nowhere', 404],
    ['GET', '/api/training/nowhere', 404],
    ['GET', '/api/training/status/', 404],
    ['DELETE', '/api/training/status/a', 405, 'GET, HEAD, OPTIONS'],
    ['PUT', '/health', 405, 'GET, HEAD, OPTIONS'],
    ['PATCH', '/metrics', 405, 'GET, HEAD, OPTIONS'],
    ['POST', '/api/training/events/a', 405, 'GET, HEAD, OPTIONS'],
    ['GET', '/api/training/ingest', 405, 'POST, OPTIONS'],
    ['POST', '/', 405, 'GET, HEAD, OPTIONS'],
    ['GET', '/api/cognate/start', 405, 'POST, OPTIONS'],
    ['GET', '/ws', 426],
  ];
  for (const [method, path, status, allow] of cases) {
    http.write(request(method, path, 'Content-Length: 0'));
    const answer = await http.response(method);
    assert.equal(answer.status, status, `${method} ${path}`);
    assert.equal(answer.headers['allow'], allow, `${method} ${path}`);
    assert.equal(answer.headers['content-type'], 'application/json');
  }
});

test('a poller that has the newest gets 304 until there is a newer', async (t) => {
  const daemon = await Daemon.start(t);
  const trainer = await training(daemon, 'a');
  await trainer.push(...steps('a', 1));
  for (const path of ['/api/training/status/a', '/api/training/metrics/a']) {
    const first = await daemon.fetch(path);
    const etag = first.headers.get('etag') ?? '';
    assert.match(etag, /^W\/"[^"]+"$/);
    for (const has of [etag, etag.slice(2), `"other", ${etag}`, '*']) {
      const again = await daemon.fetch(path, { headers: { 'if-none-match': has } });
      assert.equal(again.status, 304, has);
      assert.equal(again.headers.get('etag'), etag);
      assert.equal(await again.text(), '');
    }
    await trainer.push(...steps('a', 1, 2));
    const newer = await daemon.fetch(path, { headers: { 'if-none-match': etag } });
    assert.equal(newer.status, 200);
    assert.notEqual(newer.headers.get('etag'), etag);
  }
});

test('JSON above 1 KiB is gzipped for who takes it, and for nobody else', async (t) => {
  const packing = await Daemon.start(t);
  const plain = await Daemon.start(t, '--no-compression');
  const get = async (daemon: Daemon, path: string, accept: string) => {
    const http = await RawHttp.connect(daemon);
    http.write(request('GET', path, `Accept-Encoding: ${accept}`));
    return http.response();
  };
  for (const daemon of [packing, plain]) {
    await (await training(daemon, 'a')).push(...steps('a', 20));
  }
  const history = '/api/training/history/a?fields=loss';
  const whole = await get(packing, history, 'identity');
  assert(whole.body.length > 1024);
  const packed = await get(packing, history, 'br, gzip');
  assert.equal(packed.headers['content-encoding'], 'gzip');
  assert.deepEqual(gunzipSync(packed.body), whole.body);
  assert(packed.body.length < whole.body.length / 2);
  const others: [Daemon, string, string][] = [
    [packing, history, 'br'],
    [packing, history, 'gzip;q=0'],
    [packing, '/health', 'gzip'],
    [plain, history, 'gzip'],
  ];
  for (const [daemon, path, accept] of others) {
    const answer = await get(daemon, path, accept);
    assert.equal(answer.headers['content-encoding'], undefined, `${path} ${accept}`);
  }
});

test('no path leads out of the dashboard folder', async (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'web'));
  writeFileSync(join(folder, 'web', 'index.html'), '<p>inside</p>');
  writeFileSync(join(folder, 'secret'), 'outside');
  const daemon = await Daemon.start(t, '--web', join(folder, 'web'));
  assert.equal(await (await daemon.fetch('/')).text(), '<p>inside</p>');
  const ways = ['/../secret', '/..%2fsecret', '/%2e%2e/secret', '/%252e%252e/secret', '//secret'];
  ways.push(
    '/web/../../secret',
    '/..\\secret',
    '/.%00./secret',
    '/./.././secret',
    '/secret%00.html',
  );
  for (const path of ways) {
    const http = await RawHttp.connect(daemon);
    http.write(request('GET', path, 'Connection: close'));
    const answer = (await http.rest()).toString();
    assert.doesNotMatch(answer, /^HTTP\/1\.1 (200|30\d)/, path);
    assert.doesNotMatch(answer, /outside/, path);
  }
});
