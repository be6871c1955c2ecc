// SPDX-License-Identifier: MIT
//
// The list of runs and what may be done to one, as a page or a script does it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Daemon } from './daemon.ts';
import { Plain } from './plain.ts';
import { RawHttp, request } from './raw_http.ts';
import { progress, steps, Trainer, training } from './trainer.ts';

const runs = '/api/training/sessions';

async function listed(daemon: Daemon, query = ''): Promise<string[]> {
  const { data } = await daemon.json(`${runs}${query}`);
  return data.sessions.map((run: { session_id: string }) => run.session_id);
}

async function ask(daemon: Daemon, method: string, id: string, body?: unknown): Promise<any> {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  const response = await daemon.fetch(`${runs}/${id}`, init);
  return { status: response.status, ...((await response.json()) as object) };
}

test('a search finds runs by what they are called and configured with', async (t) => {
  const daemon = await Daemon.start(t);
  const trainer = await Trainer.connect(daemon);
  await trainer.start('a', { project: 'grokking', config: { optimizer: 'AdamW' } });
  await trainer.start('b', { project: 'vision', name: 'Größer & besser' });
  await trainer.push({ type: 'complete' });
  assert.deepEqual(await listed(daemon, '?q=adamw'), ['a']);
  assert.deepEqual(await listed(daemon, `?q=${encodeURIComponent('größer & b')}`), ['b']);
  assert.deepEqual(await listed(daemon, '?q=GRÖSSER'), []);
  assert.deepEqual(await listed(daemon, '?project=vision&status=completed'), ['b']);
  assert.deepEqual(await listed(daemon, '?status=any'), ['b', 'a']);
  assert.equal((await daemon.fetch(`${runs}?pinned=1`)).status, 400);
});

test('a run has a summary of each of its metrics', async (t) => {
  const daemon = await Daemon.start(t);
  const trainer = await training(daemon, 'a');
  await trainer.push(
    progress('a', { loss: 2, step: 1, val: { acc: 0.5, acc_loss: 3 } }),
    progress('a', { loss: 1, step: 2, val: { acc: 0.25, acc_loss: 4 } }),
  );
  trainer.write('{"type":"progress","metrics":{"loss":NaN,"step":3}}\n');
  await trainer.push();
  const { data } = await daemon.json(`${runs}/a`);
  assert.deepEqual(data.summary, {
    loss: {
      ...{ count: 3, last: null, lastStep: 3, best: 1, bestStep: 2 },
      ...{ min: 1, minStep: 2, max: 2, maxStep: 1, goal: 'min', nonFinite: { last: 'NaN' } },
    },
    'val/acc': {
      ...{ count: 2, last: 0.25, lastStep: 2, best: 0.5, bestStep: 1 },
      ...{ min: 0.25, minStep: 2, max: 0.5, maxStep: 1, goal: 'max' },
    },
    'val/acc_loss': {
      ...{ count: 2, last: 4, lastStep: 2, best: 3, bestStep: 1 },
      ...{ min: 3, minStep: 1, max: 4, maxStep: 2, goal: 'min' },
    },
  });
  assert.deepEqual((await daemon.json(runs)).data.sessions, [data]);
  const etag = (await daemon.fetch(`${runs}/a`)).headers.get('etag') ?? '';
  const again = await daemon.fetch(`${runs}/a`, { headers: { 'if-none-match': etag } });
  assert.equal(again.status, 304);
});

test('a run that is over can be deleted, and whoever watches hears of it', async (t) => {
  const daemon = await Daemon.start(t);
  const trainer = await training(daemon, 'a');
  await trainer.push(...steps('a', 3));
  const watcher = await Plain.open(daemon, '/ws?sessionId=a');
  const lobby = await Plain.open(daemon, '/ws?sessionId=*');
  assert.equal((await ask(daemon, 'DELETE', 'a')).status, 409);
  await trainer.push({ type: 'complete' });
  assert.deepEqual(await ask(daemon, 'DELETE', 'a'), {
    ...{ status: 200, success: true, sessionId: 'a' },
  });
  assert.equal((await watcher.named('session_cleanup')).sessionId, 'a');
  assert.equal((await lobby.named('session_cleanup')).sessionId, 'a');
  const gone = { status: 404, success: false, error: 'Session not found' };
  assert.deepEqual(await ask(daemon, 'DELETE', 'a'), gone);
  assert.deepEqual(await ask(daemon, 'GET', 'a'), gone);
  assert.deepEqual(await ask(daemon, 'PATCH', 'a', { pinned: true }), gone);
  assert.equal((await daemon.json('/api/training/history/a')).total, 0);
  assert.deepEqual(await listed(daemon, '?status=any'), []);
  await trainer.push(...steps('a', 1));
  assert.deepEqual(await listed(daemon), ['a']);
});

test('a pinned run makes no room for others', async (t) => {
  const daemon = await Daemon.start(t, '--max-sessions', '2');
  const trainer = await Trainer.connect(daemon);
  for (const id of ['a', 'b']) {
    await trainer.start(id);
    await trainer.push({ type: 'complete' });
  }
  assert.equal((await ask(daemon, 'PATCH', 'a', { pinned: true })).data.pinned, true);
  await trainer.start('c');
  assert.deepEqual(await listed(daemon), ['c', 'a']);
  assert.deepEqual(await listed(daemon, '?pinned=true'), ['a']);
  assert.equal((await daemon.json('/api/training/status/a')).data.pinned, true);
  trainer.send({ type: 'start', sessionId: 'd' });
  await trainer.answers.until(({ type }) => type === 'error');
  assert.equal((await ask(daemon, 'PATCH', 'a', { pinned: false })).data.pinned, false);
  await trainer.start('d');
  assert.deepEqual(await listed(daemon), ['d', 'c']);
});

test('a change that cannot be is refused and named, and the connection goes on', async (t) => {
  const daemon = await Daemon.start(t);
  await training(daemon, 'a');
  const http = await RawHttp.connect(daemon);
  const cases: [string, RegExp][] = [
    ['{}', /pinned/],
    ['{"pinned":1}', /pinned must be true or false/],
    ['pinned', /JSON object.*byte 0/],
  ];
  for (const [body, error] of cases) {
    http.write(request('PATCH', `${runs}/a`, `Content-Length: ${body.length}`) + body);
    const answer = await http.response();
    assert.equal(answer.status, 400);
    assert.match(JSON.parse(String(answer.body)).error, error);
  }
  http.write(request('PATCH', `${runs}/a`));
  assert.equal((await http.response()).status, 411);
});

test('a page of another origin may neither delete nor pin, an allowed one may ask to', async (t) => {
  const daemon = await Daemon.start(t);
  const trainer = await training(daemon, 'a');
  await trainer.push({ type: 'complete' });
  const body = '{"pinned":true}';
  for (const method of ['DELETE', 'PATCH']) {
    const headers = { origin: 'https://evil.example' };
    const init = method === 'PATCH' ? { method, headers, body } : { method, headers };
    assert.equal((await daemon.fetch(`${runs}/a`, init)).status, 403);
    const origin = 'http://localhost:3000';
    const preflight = await daemon.fetch(`${runs}/a`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': method },
    });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get('access-control-allow-origin'), origin);
    const methods = preflight.headers.get('access-control-allow-methods');
    assert.equal(methods, 'GET, HEAD, DELETE, PATCH, OPTIONS');
  }
  assert.equal((await daemon.json(`${runs}/a`)).data.pinned, false);
  for (const method of ['PUT', 'POST']) {
    const answer = await daemon.fetch(`${runs}/a`, { method, body });
    assert.equal(answer.status, 405);
    assert.equal(answer.headers.get('allow'), 'GET, HEAD, DELETE, PATCH, OPTIONS');
  }
  const headers = { origin: 'http://localhost:3000' };
  const deleted = await daemon.fetch(`${runs}/a`, { method: 'DELETE', headers });
  assert.equal(deleted.status, 200);
  assert.equal(deleted.headers.get('access-control-allow-origin'), headers.origin);
});
