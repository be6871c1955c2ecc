// SPDX-License-Identifier: MIT
//
// What people type: curl, as Debian has it.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { temporaryFolder } from './child.ts';
import { Daemon } from './daemon.ts';
import { steps, training } from './trainer.ts';
import { Inbox } from './waiting.ts';

const run = promisify(execFile);

async function curl(...args: string[]): Promise<string> {
  const { stdout } = await run('curl', ['--silent', '--show-error', '--max-time', '15', ...args]);
  return stdout;
}

/** The status alone. */
async function status(...args: string[]): Promise<number> {
  return Number(await curl('--output', '/dev/null', '--write-out', '%{http_code}', ...args));
}

async function trained(daemon: Daemon): Promise<void> {
  await (await training(daemon, 'a')).push(...steps('a', 50));
}

test('status, metrics and the list are JSON on one line', async (t) => {
  const daemon = await Daemon.start(t);
  await trained(daemon);
  for (const path of ['sessions', 'status/a', 'metrics/a', 'stats']) {
    const text = await curl(`${daemon.url}/api/training/${path}`);
    assert.equal(JSON.parse(text).success, true, path);
    assert.doesNotMatch(text, /\n| :|: |, "/, path);
  }
});

test('history comes as JSON, as lines and as a table', async (t) => {
  const daemon = await Daemon.start(t);
  await trained(daemon);
  const history = `${daemon.url}/api/training/history/a`;
  const offsets = JSON.parse(await curl(`${history}?limit=3`)).data.map(
    (entry: { offset: number }) => entry.offset,
  );
  assert.deepEqual(offsets, [48, 49, 50]);
  const lines = (await curl(`${history}?format=ndjson&since=45`)).trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).currentStep),
    [46, 47, 48, 49, 50],
  );
  const table = (await curl(`${history}?format=csv&limit=2&fields=loss,currentStep`)).split('\r\n');
  assert.equal(table.length, 4);
  assert.match(table[0] ?? '', /loss/);
  assert.equal(JSON.parse(await curl(`${history}?limit=nonsense`)).data.length, 50);
  const buckets = JSON.parse(await curl(`${history}?limit=50&points=8`)).data;
  assert(buckets.length >= 2 && buckets.length < 50);
});

test('--head, --compressed and --etag-compare do what they should', async (t) => {
  const daemon = await Daemon.start(t);
  await trained(daemon);
  const folder = temporaryFolder(t);
  const metrics = `${daemon.url}/api/training/metrics/a`;
  assert.match(await curl('--head', metrics), /^HTTP\/1\.1 200 OK\r\n[^]*ETag: W\/"/);
  const history = `${daemon.url}/api/training/history/a`;
  assert.equal(await curl('--compressed', history), await curl(history));
  const etag = join(folder, 'etag');
  assert.equal(await status('--etag-save', etag, metrics), 200);
  assert.equal(await status('--etag-compare', etag, metrics), 304);
});

test('lines may be posted from a file, whole or up to the first bad one', async (t) => {
  const daemon = await Daemon.start(t);
  const file = join(temporaryFolder(t), 'lines');
  const post = (...args: string[]) =>
    curl('--header', 'Content-Type: application/x-ndjson', ...args, '--data-binary', `@${file}`);
  const url = `${daemon.url}/api/training/ingest`;
  const lines = steps('a', 1000).map((line) => JSON.stringify(line));
  writeFileSync(file, `${lines.join('\n')}\n`);
  assert.equal(JSON.parse(await post(url)).accepted, 1000);
  writeFileSync(file, [lines[0], 'nonsense', lines[1]].join('\n'));
  const answer = JSON.parse(await post(url));
  assert.deepEqual([answer.success, answer.accepted, answer.line], [false, 1, 2]);
  assert.equal(JSON.parse(await curl(`${daemon.url}/api/training/history/a`)).total, 1001);
});

test('a body too large is refused although curl would ask first', async (t) => {
  const daemon = await Daemon.start(t);
  const file = join(temporaryFolder(t), 'large');
  writeFileSync(file, Buffer.alloc(5_000_000, '\n'));
  const url = `${daemon.url}/api/training/ingest`;
  const type = ['--header', 'Content-Type: application/x-ndjson'];
  assert.equal(await status(...type, '--data-binary', `@${file}`, url), 413);
  writeFileSync(file, Buffer.alloc(999_999, '\n'));
  const expect = ['--header', 'Expect: 100-continue'];
  assert.equal(await status(...type, ...expect, '--data-binary', `@${file}`, url), 200);
});

test('what cannot be is refused with a status', async (t) => {
  const daemon = await Daemon.start(t);
  const ingest = `${daemon.url}/api/training/ingest`;
  const chunked = ['--header', 'Transfer-Encoding: chunked', '--data', 'x'];
  assert.equal(await status(...chunked, ingest), 501);
  assert.equal(await status('--data', 'x', ingest), 415);
  assert.equal(await status('--request', 'DELETE', ingest), 405);
  assert.equal(await status('--path-as-is', `${daemon.url}/../../etc/passwd`), 404);
  assert.equal(await status('--header', 'Host: evil.example', `${daemon.url}/health`), 421);
  assert.equal(await status('--http1.0', `${daemon.url}/health`), 200);
  assert.equal(await status('--http2', `${daemon.url}/health`), 200);
});

test('--no-buffer shows a run as it goes', async (t) => {
  const daemon = await Daemon.start(t, '--no-throttle');
  const trainer = await training(daemon, 'a');
  const url = `${daemon.url}/api/training/events/a`;
  const child = spawn('curl', ['--silent', '--no-buffer', url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  daemon.defer(() => child.kill());
  const lines = new Inbox<string>('a line from curl');
  createInterface({ input: child.stdout }).on('line', (line) => lines.put(line));
  await lines.until((line) => line === 'event: session_status');
  for (const step of [1, 2, 3]) {
    await trainer.push(...steps('a', 1, step));
    await lines.until((line) => line === `id: ${step}`);
  }
});
