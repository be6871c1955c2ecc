// SPDX-License-Identifier: MIT
//
// Who may read from a page: same origin, localhost on any port, and what --allow-origin names.
// Every answer says so, the errors too; nothing is ever said to anybody else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { Daemon } from './daemon.ts';
import { RawHttp, type RawResponse } from './raw_http.ts';
import { steps, training } from './trainer.ts';
import { within } from './waiting.ts';

const answers: [string, string, number][] = [
  ['GET', '/api/training/sessions', 200],
  ['GET', '/api/training/sessions/a', 200],
  ['DELETE', '/api/training/sessions/a', 409],
  ['DELETE', '/api/training/sessions/unknown', 404],
  ['GET', '/api/training/status/a', 200],
  ['GET', '/api/training/status/unknown', 404],
  ['GET', '/api/training/metrics/a', 200],
  ['GET', '/api/training/metrics/unknown', 404],
  ['GET', '/api/training/history/a', 200],
  ['GET', '/api/training/stats', 200],
  ['GET', '/api/progress/a', 200],
  ['GET', '/api/cognate/status/a', 200],
  ['GET', '/api/cognate/status/unknown', 404],
  ['GET', '/health', 200],
  ['GET', '/metrics', 200],
  ['GET', '/', 200],
  ['GET', '/nowhere', 404],
  ['DELETE', '/health', 405],
  ['GET', '/ws', 426],
  ['GET', '/api/training/events/bad%20id', 400],
  ['GET', '/socket.io/?EIO=4&transport=polling', 200],
  ['GET', '/socket.io/?EIO=3&transport=polling', 400],
  ['GET', '/socket.io/?EIO=4&transport=polling&sid=unknown', 400],
  ['POST', '/api/training/ingest', 411],
];

async function ask(daemon: Daemon, method: string, path: string, origin: string) {
  const http = await RawHttp.connect(daemon);
  const head = [`${method} ${path} HTTP/1.1`, `Host: 127.0.0.1:${daemon.port}`];
  http.write([...head, `Origin: ${origin}`, 'Connection: close', '', ''].join('\r\n'));
  return http.response(method);
}

function mayRead(answer: RawResponse, origin: string): boolean {
  const allowed = answer.headers['access-control-allow-origin'];
  assert(allowed === undefined || allowed === origin, `${allowed} for ${origin}`);
  const credentials = answer.headers['access-control-allow-credentials'];
  assert.equal(credentials, allowed === undefined ? undefined : 'true');
  assert.match(answer.headers['vary'] ?? '', /\bOrigin\b/);
  return allowed !== undefined;
}

test('every answer, errors included, is readable for an allowed page and for no other', async (t) => {
  const daemon = await Daemon.start(t);
  await (await training(daemon, 'a')).push(...steps('a', 1));
  for (const [method, path, status] of answers) {
    for (const [origin, allowed] of [
      ['http://localhost:3000', true],
      ['https://evil.example', false],
    ] as const) {
      const answer = await ask(daemon, method, path, origin);
      if (allowed) assert.equal(answer.status, status, `${method} ${path}`);
      assert.equal(mayRead(answer, origin), allowed, `${method} ${path} ${origin}`);
    }
  }
});

test('an origin is its scheme, host and port, all of them', async (t) => {
  const daemon = await Daemon.start(t, '--allow-origin', 'https://good.example');
  const own = `http://127.0.0.1:${daemon.port}`;
  const allowed = [own, 'http://localhost', 'http://127.0.0.1:8080', 'https://localhost:1'];
  allowed.push('http://[::1]:3000', 'https://good.example', 'https://good.example:443');
  const refused = [
    'null',
    'http://good.example',
    'https://good.example:444',
    'https://evil.example',
  ];
  refused.push('https://good.example.evil.example', 'https://evilgood.example', 'file://');
  refused.push('http://localhost.evil.example', 'http://127.0.0.1.evil.example', 'localhost:3000');
  refused.push(
    'http://127.0.0.2:3000',
    'https://good.example/',
    'https://good.example@evil.example',
  );
  for (const origin of allowed) {
    assert(mayRead(await ask(daemon, 'GET', '/health', origin), origin), origin);
  }
  for (const origin of refused) {
    assert(!mayRead(await ask(daemon, 'GET', '/health', origin), origin), origin);
  }
});

test('without an Origin nothing is said about origins', async (t) => {
  const daemon = await Daemon.start(t);
  const { headers } = await daemon.fetch('/health');
  assert.equal(headers.get('access-control-allow-origin'), null);
});

test('a preflight is answered 204 with the methods of the path and fixed headers', async (t) => {
  const daemon = await Daemon.start(t);
  const origin = 'http://localhost:3000';
  const asked = {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'x-evil, content-type',
  };
  const cases: [string, string][] = [
    ['/api/training/ingest', 'POST, OPTIONS'],
    ['/api/training/status/a', 'GET, HEAD, OPTIONS'],
    ['/api/training/events/a', 'GET, HEAD, OPTIONS'],
    ['/api/phases/cognate', 'GET, HEAD, POST, OPTIONS'],
    ['/api/cognate/start', 'POST, OPTIONS'],
    ['/socket.io/?EIO=4&transport=polling', 'GET, HEAD, POST, OPTIONS'],
  ];
  for (const [path, methods] of cases) {
    const answer = await daemon.fetch(path, { method: 'OPTIONS', headers: asked });
    assert.equal(answer.status, 204, path);
    assert.equal(answer.headers.get('access-control-allow-origin'), origin, path);
    assert.equal(answer.headers.get('access-control-allow-methods'), methods, path);
    const headers = answer.headers.get('access-control-allow-headers') ?? '';
    assert.match(headers, /\bContent-Type\b/);
    assert.doesNotMatch(headers, /evil|\*/i);
    assert(Number(answer.headers.get('access-control-max-age')) > 0);
  }
});

test('a page of another origin cannot write', async (t) => {
  const daemon = await Daemon.start(t);
  const body = JSON.stringify(steps('a', 1)[0]);
  const from = (origin: string) => ({ origin, 'content-type': 'application/json' });
  const post = { method: 'POST', body };
  const path = '/api/training/ingest';
  const evil = await daemon.fetch(path, { ...post, headers: from('https://evil.example') });
  assert.equal(evil.status, 403);
  assert.equal((await daemon.fetch('/api/training/status/a')).status, 404);
  const page = await daemon.fetch(path, { ...post, headers: from('http://localhost:3000') });
  assert.equal(page.status, 200);
});

test('a WebSocket from a page of another origin is refused before the upgrade', async (t) => {
  const daemon = await Daemon.start(t);
  for (const path of ['/ws', '/socket.io/?EIO=4&transport=websocket']) {
    for (const [origin, opens] of [
      ['http://localhost:3000', true],
      ['https://evil.example', false],
      ['null', false],
    ] as const) {
      const socket = new WebSocket(`ws://127.0.0.1:${daemon.port}${path}`, { origin });
      daemon.defer(() => socket.terminate());
      const outcome = new Promise((resolve) => {
        socket.on('error', () => {});
        socket.on('open', () => resolve(101));
        socket.on('unexpected-response', (_, response) => resolve(response.statusCode));
      });
      assert.equal(await within('the handshake', outcome), opens ? 101 : 403, `${path} ${origin}`);
    }
  }
});
