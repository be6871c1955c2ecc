// SPDX-License-Identifier: MIT
//
// RFC 6455 as the daemon keeps it, frame by frame, right and wrong ones.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Daemon } from './daemon.ts';
import { exchange, RawHttp, request, statuses } from './raw_http.ts';
import { BINARY, CLOSE, closing, frame, PING, PONG, RawWs, TEXT, upgrade } from './raw_ws.ts';

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

test('a ping is answered with what it carried', async (t) => {
  const daemon = await Daemon.start(t);
  const ws = await RawWs.open(daemon);
  for (const payload of ['x', 'x'.repeat(125)]) {
    ws.send(PING, payload);
    assert.equal(String((await ws.until(PONG)).payload), payload);
  }
});

test('text that is not UTF-8 closes with 1007', async (t) => {
  const daemon = await Daemon.start(t);
  const wrong = ['ff', 'c0af', 'eda080', 'f4908080', 'e282'].map((hex) => Buffer.from(hex, 'hex'));
  for (const bytes of wrong) {
    const whole = await RawWs.open(daemon);
    whole.send(TEXT, Buffer.concat([Buffer.from('{"event":"'), bytes, Buffer.from('"}')]));
    assert.equal(await whole.closeCode(), 1007, bytes.toString('hex'));
    const parts = await RawWs.open(daemon);
    parts.send(TEXT, '{"event":"', { fin: false });
    parts.send(0, bytes, { fin: false });
    parts.send(0, '"}');
    assert.equal(await parts.closeCode(), 1007, `${bytes.toString('hex')} in fragments`);
    const last = await RawWs.open(daemon);
    last.send(TEXT, bytes);
    assert.equal(await last.closeCode(), 1007, `${bytes.toString('hex')} at the end`);
  }
});

test('a character may be cut in two by a fragment', async (t) => {
  const daemon = await Daemon.start(t);
  const ws = await RawWs.open(daemon);
  const message = Buffer.from(subscribe.replace('"id":7', '"id":7,"note":"€"'));
  const at = message.indexOf(0xe2) + 1;
  ws.send(TEXT, message.subarray(0, at), { fin: false });
  ws.send(0, message.subarray(at));
  await acknowledged(ws);
});

test('binary closes with 1003', async (t) => {
  const daemon = await Daemon.start(t);
  const ws = await RawWs.open(daemon);
  ws.send(BINARY, subscribe);
  assert.equal(await ws.closeCode(), 1003);
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

test('an announced length is judged before its bytes come', async (t) => {
  const daemon = await Daemon.start(t);
  for (const length of [1n << 20n, 1n << 31n, 1n << 62n]) {
    const ws = await RawWs.open(daemon);
    ws.send(TEXT, 'x', { length });
    assert.equal(await ws.closeCode(), 1009, String(length));
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

test('frames that break the protocol end the connection', async (t) => {
  const daemon = await Daemon.start(t);
  const cases: Record<string, Buffer> = {
    'RSV1 without deflate': frame(TEXT, subscribe, { rsv: 4 }),
    RSV2: frame(TEXT, subscribe, { rsv: 2 }),
    'reserved opcode 3': frame(3, 'x'),
    'reserved control opcode 11': frame(11, 'x'),
    'continuation of nothing': frame(0, 'x'),
    'text within a text': Buffer.concat([frame(TEXT, 'a', { fin: false }), frame(TEXT, 'b')]),
    'ping in fragments': frame(PING, 'x', { fin: false }),
    'ping of 126 octets': frame(PING, 'x'.repeat(126)),
    'close of one octet': frame(CLOSE, 'x'),
    'length beyond 63 bits': frame(TEXT, 'x', { length: 1n << 63n }),
  };
  for (const [name, bytes] of Object.entries(cases)) {
    const ws = await RawWs.open(daemon);
    ws.http.write(bytes);
    const code = await ws.closeCode();
    assert(code === null || [1002, 1007, 1009].includes(code), `${name}: ${code}`);
    await ws.http.closed;
  }
  assert.equal((await daemon.fetch('/health')).status, 200);
});

test('a close is answered with its code, and what comes after is not heard', async (t) => {
  const daemon = await Daemon.start(t);
  for (const code of [1000, 1001, 3000, 4999]) {
    const ws = await RawWs.open(daemon);
    ws.http.write(Buffer.concat([frame(CLOSE, closing(code, 'bye')), frame(TEXT, subscribe)]));
    assert.equal(await ws.closeCode(), code);
    await ws.http.closed;
  }
});
