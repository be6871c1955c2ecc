// SPDX-License-Identifier: MIT
//
// The socket file of the trainers: whose it is, and what the daemon does about what stands there.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, lstatSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
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

/** What becomes of a trainer who is this user, of this group. */
function tryAs(uid: number, gid: number, path: string): string {
  const script = `
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(10)
try:
    s.connect(sys.argv[1])
    s.sendall(b'{"type":"ping"}\\n')
    print(s.recv(100).decode() or 'closed')
except OSError as e:
    print(type(e).__name__)`;
  return String(
    execFileSync('/usr/bin/python3', ['-c', script, path], { uid, gid, cwd: '/' }),
  ).trim();
}

test("the socket may be a group's as well", async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'shared.sock');
  const root = process.getuid?.() === 0;
  const gid = root ? 1 : (process.getgid?.() as number);
  const name = String(execFileSync('getent', ['group', String(gid)])).split(':')[0] as string;
  const daemon = await Daemon.start(t, '--socket', path, '--socket-group', name);
  assert.equal(lstatSync(path).mode & 0o777, 0o660);
  assert.equal(lstatSync(path).gid, gid);
  assert.match(await Daemon.refuses('--socket-group', 'no-such-group'), /there is no group/);
  if (!root) return;
  chmodSync(folder, 0o755);
  assert.equal(tryAs(65534, 1, path), '{"type":"pong"}');
  assert.equal(tryAs(65534, 65534, path), 'PermissionError');
  chmodSync(path, 0o666);
  assert.match(tryAs(65534, 65534, path), /closed|BrokenPipe|ConnectionReset/);
  await daemon.logged(/trainers refused=1 why="another user" uid=65534/);
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
