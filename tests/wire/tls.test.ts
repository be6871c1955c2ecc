// SPDX-License-Identifier: MIT
//
// TLS with unmodified clients: curl, socket.io-client, ws, and node's own.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { type IncomingMessage } from 'node:http';
import { Agent, request, type RequestOptions } from 'node:https';
import { join } from 'node:path';
import { type Readable } from 'node:stream';
import test, { type TestContext } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { temporaryFolder } from './child.ts';
import { Daemon, streamd } from './daemon.ts';
import { Plain } from './plain.ts';
import { connect } from './socketio.ts';
import { steps, training } from './trainer.ts';
import { Inbox, within } from './waiting.ts';

/** A key and a certificate, for localhost unless others are named, by files in the folder. */
function certify(folder: string, name: string, hosts = 'DNS:localhost,IP:127.0.0.1') {
  const [cert, key] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const names = `subjectAltName=${hosts}`;
  const files = ['-keyout', key, '-out', cert, '-subj', `/CN=${name}`, '-addext', names];
  execFileSync('openssl', ['req', '-x509', '-days', '2', ...curve, ...files], { stdio: 'ignore' });
  return { cert, key };
}

async function secured(t: TestContext, ...options: string[]) {
  const folder = temporaryFolder(t);
  const { cert, key } = certify(folder, 'first');
  const daemon = await Daemon.start(t, '--tls-cert', cert, '--tls-key', key, ...options);
  return { daemon, folder, cert, key, ca: readFileSync(cert) };
}

/** One request; answers the response as it begins. */
async function ask(daemon: Daemon, path: string, options: RequestOptions, body?: string) {
  const asked = request(`${daemon.url}${path}`, options);
  daemon.defer(() => asked.destroy());
  asked.on('error', () => {});
  asked.end(body);
  const [response] = (await within(path, once(asked, 'response'))) as [IncomingMessage];
  return { asked, response };
}

async function textOf(response: Readable): Promise<string> {
  let text = '';
  for await (const piece of response.setEncoding('utf8')) text += piece as string;
  return text;
}

/** The figures, by whatever way there is. */
async function figure(daemon: Daemon, ca: Buffer, name: string): Promise<number> {
  const { response } = await ask(daemon, '/metrics', { ca, agent: false });
  return Number(new RegExp(`^streamd_${name} (\\S+)$`, 'm').exec(await textOf(response))?.[1]);
}

async function until(daemon: Daemon, ca: Buffer, name: string, value: number): Promise<void> {
  const end = performance.now() + 15_000;
  while ((await figure(daemon, ca, name)) !== value)
    assert(performance.now() < end, `${name} is never ${value}`);
}

test('curl checks the certificate; TLS 1.2 and 1.3 and HTTP/1.1 are spoken, nothing older', async (t) => {
  const { daemon, cert, ca } = await secured(t);
  const curl = (...args: string[]) =>
    spawnSync('curl', ['-sS', '--cacert', cert, '-w', '%{http_code} %{http_version}', ...args]);
  for (const version of [['--tls-max', '1.2'], ['--tlsv1.3'], ['--http2']]) {
    const got = curl('-o', '/dev/null', ...version, `${daemon.url}/health`);
    assert.equal(String(got.stdout), '200 1.1', String(got.stderr));
  }
  assert.notEqual(curl('--tls-max', '1.1', `${daemon.url}/health`).status, 0);
  assert.notEqual(spawnSync('curl', ['-sS', `${daemon.url}/health`]).status, 0);
  const plain = spawnSync('curl', ['-sS', `${daemon.url.replace('https', 'http')}/health`]);
  assert.notEqual(plain.status, 0);
  await until(daemon, ca, 'connections', 1);
});

test('Socket.IO and WebSocket over TLS, deflated and plain, with all that was sent', async (t) => {
  const { daemon, ca } = await secured(t, '--no-throttle');
  const trainer = await training(daemon, 'run');
  const [socket, plain, deflated] = await Promise.all([
    connect(daemon, { ca } as object),
    Plain.open(daemon, '/ws?sessionId=run', { ca, perMessageDeflate: false }),
    Plain.open(daemon, '/ws?sessionId=run', { ca }),
  ]);
  await socket.ask('subscribe_session', { sessionId: 'run' });
  await plain.named('session_status');
  await deflated.named('session_status');
  await trainer.push(...steps('run', 500));
  for (const watcher of [socket, plain, deflated]) {
    let last = 0;
    while (last < 500) {
      const { currentStep } = (await watcher.named('progress_update')).metrics;
      assert(currentStep > last);
      last = currentStep;
    }
  }
});

test('an event stream under TLS, and a client that goes away is noticed', async (t) => {
  const { daemon, ca } = await secured(t);
  const trainer = await training(daemon, 'run');
  for (const leave of ['end', 'destroy'] as const) {
    const { asked, response } = await ask(daemon, '/api/training/events/run', { ca, agent: false });
    const heard = new Inbox<string>('a piece of the stream');
    response.setEncoding('utf8').on('data', (piece: string) => heard.put(piece));
    response.on('error', () => {});
    await trainer.push(...steps('run', 1));
    await heard.until((piece) => piece.includes('progress_update'));
    const socket = asked.socket as TLSSocket;
    if (leave === 'end') socket.end();
    else socket.destroy();
    await until(daemon, ca, 'peers', 0);
  }
});

test('bodies on a connection that is kept, larger than a record and smaller', async (t) => {
  const { daemon, ca } = await secured(t);
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca });
  daemon.defer(() => agent.destroy());
  const headers = { 'content-type': 'application/x-ndjson' };
  for (let round = 1; round <= 12; round++) {
    const count = round % 3 === 0 ? 3000 : round * 5;
    const body = '{"type":"ping"}\n'.repeat(count);
    const options = {
      agent,
      method: 'POST',
      headers: { ...headers, 'content-length': body.length },
    };
    const { response } = await ask(daemon, '/api/training/ingest', options, body);
    assert.equal(response.statusCode, 200, await textOf(response));
    response.resume();
  }
});

test('the tools speak to it, if its certificate is good and its own', async (t) => {
  const { daemon, folder, cert } = await secured(t);
  const other = certify(folder, 'other', 'DNS:elsewhere.example');
  const keyed = ['--tls-cert', other.cert, '--tls-key', other.key];
  const elsewhere = await Daemon.start(t, ...keyed);
  const trainer = await training(daemon, 'run');
  await trainer.push(...steps('run', 2000));
  const tool = async (words: string, url = daemon.url, ca = ['--ca-file', cert]) => {
    const asked = spawn(streamd, [...words.split(' '), '--url', url, ...ca]);
    const [said, error] = await Promise.all([textOf(asked.stdout), textOf(asked.stderr)]);
    return { said, error };
  };
  const byName = daemon.url.replace('127.0.0.1', 'localhost');
  for (const url of [daemon.url, byName])
    assert.match((await tool('ls', url)).said, /run +running/, url);
  const lines = (await tool('metrics run --json --limit 2000')).said.trim().split('\n');
  assert.equal(lines.length, 2000);

  const wrong: [string, string[], RegExp][] = [
    [daemon.url, [], /self.signed certificate/],
    [daemon.url, ['--ca-file', other.cert], /certificate/],
    [elsewhere.url, ['--ca-file', other.cert], /mismatch/],
    [elsewhere.url.replace('127.0.0.1', 'localhost'), ['--ca-file', other.cert], /mismatch/],
    [daemon.url, ['--ca-file', join(folder, 'none')], /cannot be read/],
    [daemon.url.replace('https', 'http'), [], /no daemon of ours|reset/],
  ];
  for (const [url, ca, why] of wrong) {
    const { said, error } = await tool('ls', url, ca);
    assert.equal(said, '');
    assert.match(error, why);
  }

  const waited = tool('wait run --until status=completed --timeout 15s');
  await daemon.logged(/begin id=run/);
  await trainer.push({ type: 'complete', sessionId: 'run' });
  const { said, error } = await waited;
  assert.match(said, /completed/, error);
});

test('a long history to a client that reads late comes whole', async (t) => {
  const { daemon, ca } = await secured(t);
  const trainer = await training(daemon, 'run');
  await trainer.push(...steps('run', 20_000));
  const path = '/api/training/history/run?limit=20000&format=ndjson';
  const { response } = await ask(daemon, path, { ca, agent: false });
  let lines = 0;
  for await (const piece of response.setEncoding('utf8')) {
    lines += String(piece).split('\n').length - 1;
    if (lines < 100) await daemon.logged(/begin id=run/);
  }
  assert(lines >= 10_000, `${lines} lines`);
});

test('SIGHUP takes the new certificate; connections that stand go on; a wrong one changes nothing', async (t) => {
  const { daemon, folder, cert, key, ca } = await secured(t);
  const trainer = await training(daemon, 'run');
  const standing = await Plain.open(daemon, '/ws?sessionId=run', { ca });
  const shown = async () => {
    const socket = connectTls({ port: daemon.port, host: '127.0.0.1', rejectUnauthorized: false });
    await within('a handshake', once(socket, 'secureConnect'));
    const { subject } = socket.getPeerCertificate();
    socket.destroy();
    return subject.CN;
  };
  assert.equal(await shown(), 'first');
  const second = certify(folder, 'second');
  copyFileSync(second.cert, cert);
  daemon.signal('SIGHUP');
  await daemon.logged(/cannot read certificate: .*key.*: key values mismatch/);
  assert.equal(await shown(), 'first');
  copyFileSync(second.key, key);
  daemon.signal('SIGHUP');
  await daemon.logged(/certificate read again/);
  assert.equal(await shown(), 'second');
  await trainer.push(...steps('run', 1));
  await standing.named('progress_update');
});

test('no start with half a pair, or files that are none', async (t) => {
  const folder = temporaryFolder(t);
  const { cert, key } = certify(folder, 'first');
  const other = certify(folder, 'other');
  assert.match(await Daemon.refuses('--tls-cert', cert), /--tls-cert and --tls-key go together/);
  const text = join(folder, 'text');
  writeFileSync(text, 'no certificate');
  const refused = (c: string, k: string) => Daemon.refuses('--tls-cert', c, '--tls-key', k);
  assert.match(await refused(text, key), /cannot speak TLS: ".*text": no start line/i);
  assert.match(await refused(join(folder, 'gone'), key), /cannot speak TLS: ".*gone": /);
  assert.match(
    await refused(cert, other.key),
    /cannot speak TLS: ".*other.key": key values mismatch/,
  );
});
