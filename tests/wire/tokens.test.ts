// SPDX-License-Identifier: MIT
//
// Tokens over real sockets, with unmodified clients. A request that a proxy forwarded stands for one
// from another machine.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { temporaryFolder } from './child.ts';
import { Daemon, streamd } from './daemon.ts';
import { Plain } from './plain.ts';
import { client, connect } from './socketio.ts';
import { training } from './trainer.ts';

const forwarded = { 'x-forwarded-for': '192.0.2.7' };
const needed = 'A valid token is needed: Authorization: Bearer TOKEN';

function make(file: string, name: string, scope: string): string {
  const made = execFileSync(streamd, ['token', name, '--scope', scope, '--file', file]);
  return String(made).trim();
}

/** A daemon with a token file, and the tokens of alice (read) and steward (read, control). */
async function guarded(t: TestContext, ...options: string[]) {
  const file = join(temporaryFolder(t), 'tokens');
  const alice = make(file, 'alice', 'read');
  const steward = make(file, 'steward', 'read,control');
  const daemon = await Daemon.start(t, '--token-file', file, ...options);
  return { daemon, file, alice, steward };
}

const bearing = (token: string) => ({ ...forwarded, authorization: `Bearer ${token}` });

test('streamd token prints a token once and keeps its digest, for its owner alone', (t) => {
  const file = join(temporaryFolder(t), 'tokens');
  const token = make(file, 'alice', 'control,read');
  assert.match(token, /^st_[A-Za-z0-9_-]{43}$/);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.match(readFileSync(file, 'utf8'), /^alice read,control [0-9a-f]{64}\n$/);
  const again = spawnSync(streamd, ['token', 'alice', '--scope', 'read', '--file', file]);
  assert.equal(again.status, 1);
  assert.match(String(again.stderr), /a token of the name alice stands there already/);
  const shown = String(execFileSync(streamd, ['token', 'bob', '--scope', 'write'])).split('\n');
  assert.match(shown[0] as string, /^st_/);
  assert.match(shown[1] as string, /^bob write [0-9a-f]{64}$/);
  for (const wrong of [['a b', '--scope', 'read'], ['a', '--scope', 'all'], ['a'], []])
    assert.equal(spawnSync(streamd, ['token', ...wrong]).status, 2);
});

test('no start on other addresses without tokens, nor with a file that is wrong', async (t) => {
  const open = await Daemon.refuses('--listen', '0.0.0.0:0');
  assert.match(open, /cannot listen on 0\.0\.0\.0:0: .*--token-file.*--allow-anonymous/);
  const file = join(temporaryFolder(t), 'tokens');
  writeFileSync(file, '# who\nalice read\n', { mode: 0o600 });
  const broken = await Daemon.refuses('--token-file', file);
  assert.match(broken, /tokens": line 2: the third word must be a SHA-256/);
  await Daemon.start(t, '--listen', '0.0.0.0:0', '--allow-anonymous');
});

test('another machine needs a token, this one does not', async (t) => {
  const { daemon, alice } = await guarded(t, '--listen', '0.0.0.0:0');
  assert.equal((await daemon.fetch('/metrics')).status, 200);
  const refused = await daemon.fetch('/metrics', { headers: forwarded });
  assert.equal(refused.status, 401);
  assert.equal(refused.headers.get('www-authenticate'), 'Bearer realm="streamd"');
  assert.deepEqual(await refused.json(), { success: false, error: needed });
  for (const name of ['Forwarded', 'X-Forwarded-Host', 'X-Forwarded-Proto', 'X-Real-IP', 'Via']) {
    assert.equal((await daemon.fetch('/metrics', { headers: { [name]: 'x' } })).status, 401, name);
  }
  assert.equal((await daemon.fetch('/metrics', { headers: bearing(alice) })).status, 200);
  const own = Object.values(networkInterfaces())
    .flat()
    .find((at) => at?.family === 'IPv4' && !at.internal);
  if (!own) return;
  const elsewhere = new URL(await daemon.listening.next());
  elsewhere.hostname = own.address;
  elsewhere.pathname = '/metrics';
  assert.equal((await fetch(elsewhere)).status, 401);
  assert.equal((await fetch(elsewhere, { headers: bearing(alice) })).status, 200);
});

test('socket.io-client shows its token in auth, on either transport', async (t) => {
  const { daemon, alice } = await guarded(t);
  await training(daemon, 'run');
  for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']]) {
    const options = { transports, extraHeaders: forwarded, reconnection: false };
    assert.equal(await client(daemon, options).named('connect_error'), needed);
    const wrong = client(daemon, { ...options, auth: { token: 'st_wrong' } });
    assert.equal(await wrong.named('connect_error'), needed);
    const good = await connect(daemon, { ...options, auth: { token: alice } });
    const asked = { sessionId: 'run', command: 'stop' };
    assert.deepEqual(await good.ask('subscribe_session', { sessionId: 'run' }), {
      success: true,
      sessionId: 'run',
    });
    assert.match((await good.ask('control_session', asked)).error, /this needs control/);
  }
});

test('a WebSocket says its token in the header, first, or where there is no other way', async (t) => {
  const { daemon, alice } = await guarded(t);
  await training(daemon, 'run');
  const header = await Plain.open(daemon, '/ws?sessionId=run', { headers: bearing(alice) });
  await header.named('session_status');
  const first = await Plain.open(daemon, '/ws', { headers: forwarded });
  first.send('subscribe_session', { sessionId: 'run' }, 1);
  assert.deepEqual(await first.ack(1), { success: false, error: needed });
  first.send('auth', { token: alice }, 2);
  assert.deepEqual(await first.ack(2), { success: true });
  await first.subscribe('run');
  const query = await Plain.open(daemon, `/ws?sessionId=run&token=${alice}`, {
    headers: forwarded,
  });
  await query.named('session_status');
  const wrong = await Plain.open(daemon, '/ws', { headers: forwarded });
  wrong.send('auth', { token: 'st_wrong' });
  assert.equal((await wrong.closed).code, 1008);
});

test('SIGHUP closes who is in the file no more, and a broken file changes nothing', async (t) => {
  const { daemon, file, alice, steward } = await guarded(t);
  const before = readFileSync(file, 'utf8');
  const leaving = await Plain.open(daemon, '/ws', { headers: bearing(alice) });
  const staying = await Plain.open(daemon, '/ws', { headers: bearing(steward) });
  writeFileSync(file, 'alice');
  daemon.signal('SIGHUP');
  await daemon.logged(/line 1: the scopes must be .*; those of before go on/);
  assert.equal((await daemon.fetch('/metrics', { headers: bearing(alice) })).status, 200);
  writeFileSync(file, before.replace(/^alice.*\n/, ''));
  daemon.signal('SIGHUP');
  assert.deepEqual(await leaving.closed, { code: 1008, reason: 'the token was withdrawn' });
  assert.equal((await daemon.fetch('/metrics', { headers: bearing(alice) })).status, 401);
  staying.send('subscribe_session', { sessionId: 'x' }, 1);
  assert.equal((await staying.ack(1)).success, true);
});

test('no token is ever in the log, the figures or the arguments', async (t) => {
  const { daemon, alice, steward } = await guarded(t, '--log-level', 'debug');
  const secrets = [alice, steward, 'st_wrong_one_that_nobody_has'];
  for (const secret of secrets) {
    await daemon.fetch('/metrics', { headers: bearing(secret) });
    await daemon.fetch(`/api/training/events/x?token=${secret}`, { method: 'HEAD' });
    await daemon.fetch(`/no/such/${secret}`, { headers: { ...forwarded, cookie: secret } });
    const options = { auth: { token: secret }, extraHeaders: forwarded, reconnection: false };
    const watcher = client(daemon, options);
    await watcher.events.next();
    watcher.socket.disconnect();
    const plain = await Plain.open(daemon, '/ws', { headers: forwarded });
    plain.send('auth', { token: secret }, 1);
    await plain.events.until(({ event }) => event !== 'connection_established');
    plain.socket.terminate();
  }
  daemon.signal('SIGUSR1');
  await daemon.logged(/peers_opened=/);
  daemon.signal('SIGHUP');
  await daemon.logged(/tokens read again/);
  const figures = await (await daemon.fetch('/metrics')).text();
  const stats = await (await daemon.fetch('/api/training/stats')).text();
  const ps = readFileSync(`/proc/${daemon.pid}/cmdline`, 'utf8');
  const environ = readFileSync(`/proc/${daemon.pid}/environ`, 'utf8');
  for (const secret of [...secrets, 'Bearer'])
    for (const text of [daemon.log, figures, stats, ps, environ]) assert(!text.includes(secret));
});
