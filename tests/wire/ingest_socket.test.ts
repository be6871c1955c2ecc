// SPDX-License-Identifier: MIT
//
// The socket file of the trainers: whose it is, and what the daemon does about what stands there.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { lstatSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from './child.ts';
import { Daemon } from './daemon.ts';
import { training } from './trainer.ts';

test('the socket is for its owner alone', async (t) => {
  const before = process.umask(0);
  const daemon = await Daemon.start(t).finally(() => process.umask(before));
  assert.equal(lstatSync(daemon.socketPath).mode & 0o777, 0o600);
});

test('a socket that a killed daemon left is taken over', async (t) => {
  const daemon = await Daemon.start(t);
  daemon.signal('SIGKILL', 'SIGKILL');
  await daemon.exited;
  assert(lstatSync(daemon.socketPath).isSocket());
  const next = await Daemon.start(t, '--socket', daemon.socketPath);
  next.socketPath = daemon.socketPath;
  await training(next, 'a');
});

test('a socket that is in use, and what is no socket, is left alone', async (t) => {
  const daemon = await Daemon.start(t);
  assert.match(
    await Daemon.refuses('--socket', daemon.socketPath),
    /another process listens there/,
  );
  await training(daemon, 'a');
  const folder = temporaryFolder(t);
  const file = join(folder, 'file');
  writeFileSync(file, 'precious');
  symlinkSync(file, join(folder, 'link'));
  for (const path of [file, join(folder, 'link'), folder]) {
    assert.match(await Daemon.refuses('--socket', path), /not a socket/, path);
  }
  assert.equal(readFileSync(file, 'utf8'), 'precious');
  assert.match(await Daemon.refuses('--socket', join(folder, 'no', 'where')), /No such file/);
  assert.match(await Daemon.refuses('--socket', `/tmp/${'x'.repeat(110)}`), /107 bytes/);
});

test('a port that is in use ends the start, and the socket goes with it', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.after(() => taken.close());
  const { port } = taken.address() as { port: number };
  assert.match(await Daemon.refuses('--listen', `127.0.0.1:${port}`), /Address already in use/);
});
