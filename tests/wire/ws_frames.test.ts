// SPDX-License-Identifier: MIT
//
// RFC 6455 as the daemon keeps it, frame by frame, right and wrong ones.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Daemon } from './daemon.ts';
import { exchange, RawHttp, request, statuses } from './raw_http.ts';
import { frame, PING, RawWs, TEXT, upgrade } from './raw_ws.ts';

const subscribe = JSON.stringify({ event: 'subscribe_session', data: { sessionId: 'a' }, id: 7 });

/** Reads on to the acknowledgement that `subscribe` asks for. */
async function acknowledged(ws: RawWs): Promise<void> {
  for (;;) {
    const { event, id } = JSON.parse(String((await ws.until(TEXT)).payload));
    if (event === 'ack' && id === 7) return;
  }
}

test('a handshake that is not one is refused with its reason', async (t) => {
  const daemon = await Daemon.start(t);
  const whole = upgrade('/ws');
  const without = (line: RegExp) => whole.replace(line, '');
  const cases: [string, string, number][] = [
    ['no key', without(/Sec-WebSocket-Key.*\r\n/), 400],
    ['short key', whole.replace('dGhlIHNhbXBsZSBub25jZQ==', 'c2hvcnQ='), 400],
    ['no version', without(/Sec-WebSocket-Version.*\r\n/), 426],
    ['version 12', whole.replace('Version: 13', 'Version: 12'), 426],
    ['version abc', whole.replace('Version: 13', 'Version: abc'), 426],
    ['POST', whole.replace('GET', 'POST').replace('Host', 'Content-Length: 0\r\nHost'), 405],
    ['HTTP/1.0', whole.replace('HTTP/1.1', 'HTTP/1.0'), 400],
    ['no Connection', without(/Connection: Upgrade\r\n/), 400],
    ['nowhere', upgrade('/nowhere'), 404],
    ['an HTTP route', upgrade('/health'), 404],
    ['foreign Host', whole.replace('127.0.0.1', 'evil.example'), 421],
  ];
  for (const [name, bytes, status] of cases) {
    const answer = await exchange(daemon, bytes);
    assert.deepEqual(statuses(answer), [status], name);
    if (status === 426) assert.match(answer, /Sec-WebSocket-Version: 13\r\n/, name);
  }
});

test('a handshake may come in pieces, and with the first frame', async (t) => {
  const daemon = await Daemon.start(t);
  const slow = await RawHttp.connect(daemon);
  for (const byte of upgrade('/ws')) await new Promise((done) => slow.socket.write(byte, done));
  assert.equal((await slow.response()).status, 101);
  const eager = await RawHttp.connect(daemon);
  eager.write(Buffer.concat([Buffer.from(upgrade('/ws')), frame(TEXT, subscribe)]));
  assert.equal((await eager.response()).status, 101);
  await eager.bytes(2);
});

test('a connection that has carried requests may still be upgraded', async (t) => {
  const daemon = await Daemon.start(t);
  const http = await RawHttp.connect(daemon);
  http.write(request('GET', '/health') + request('GET', '/health') + upgrade('/ws'));
  assert.equal((await http.response()).status, 200);
  assert.equal((await http.response()).status, 200);
  assert.equal((await http.response()).status, 101);
});

test('a message is the same in any fragments, with control frames between', async (t) => {
  const daemon = await Daemon.start(t);
  for (const size of [1, 2, 7, subscribe.length]) {
    const ws = await RawWs.open(daemon);
    for (let at = 0; at < subscribe.length; at += size) {
      const fin = at + size >= subscribe.length;
      ws.send(at ? 0 : TEXT, subscribe.slice(at, at + size), { fin });
      if (!fin) ws.send(PING, 'between');
    }
    ws.send(PING, 'after');
    await acknowledged(ws);
  }
});

test('a message may be as long as --max-payload and no longer', async (t) => {
  const daemon = await Daemon.start(t, '--max-payload', '4096');
  const padded = (length: number) => subscribe.replace('{', `{"note":"${'x'.repeat(length)}",`);
  const fitting = padded(4096 - padded(0).length);
  const inTwo = (ws: RawWs, text: string) => {
    ws.send(TEXT, text.slice(0, 2000), { fin: false });
    ws.send(0, text.slice(2000));
  };
  for (const send of [(ws: RawWs, text: string) => ws.send(TEXT, text), inTwo]) {
    const good = await RawWs.open(daemon);
    send(good, fitting);
    await acknowledged(good);
    const bad = await RawWs.open(daemon);
    send(bad, `${fitting} `);
    assert.equal(await bad.closeCode(), 1009);
  }
});

test('fragments without end are not collected', async (t) => {
  const daemon = await Daemon.start(t);
  const ws = await RawWs.open(daemon);
  ws.send(TEXT, '', { fin: false });
  const none = frame(0, '', { fin: false });
  ws.http.write(Buffer.concat(Array.from({ length: 100_000 }, () => none)));
  assert.equal(await ws.closeCode(), 1008);
});
