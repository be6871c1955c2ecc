// SPDX-License-Identifier: MIT
//
// Engine.IO: the handshake, what is refused, messages both ways, heartbeats. The echo is that of the
// conformance build.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Daemon } from './daemon.ts';
import { ECHO, PacketSocket, Poller, SOCKET_IO } from './poller.ts';
import { RawWs } from './raw_ws.ts';
import { eventually } from './waiting.ts';

const quick = ['--ping-interval-ms', '100', '--ping-timeout-ms', '80'];

test('the handshake tells what was configured, on either transport', async (t) => {
  const daemon = await Daemon.start(t, ...quick, '--max-payload', '5000');
  const expected = { pingInterval: 100, pingTimeout: 80, maxPayload: 5000 };
  const { sid, ...told } = (await Poller.open(daemon)).handshake;
  assert.match(sid, /^[\w-]{20,}$/);
  assert.deepEqual(told, { upgrades: ['websocket'], ...expected });
  const ws = await PacketSocket.open(daemon);
  const open = String(await ws.packets.next());
  const { sid: other, ...toldWs } = JSON.parse(open.slice(1));
  assert.notEqual(other, sid);
  assert.deepEqual(toldWs, { upgrades: [], ...expected });
});

test('without options the handshake is the one that clients know', async (t) => {
  const daemon = await Daemon.start(t);
  const { sid, ...told } = (await Poller.open(daemon)).handshake;
  assert(sid);
  assert.deepEqual(told, {
    upgrades: ['websocket'],
    pingInterval: 25000,
    pingTimeout: 20000,
    maxPayload: 1000000,
  });
});

test('no two session ids have anything in common', async (t) => {
  const daemon = await Daemon.start(t);
  const sids: string[] = [];
  for (let i = 0; i < 200; i++) sids.push((await Poller.open(daemon)).handshake.sid);
  assert.equal(new Set(sids).size, 200);
  for (let column = 0; column < 20; column++) {
    const letters = new Set(sids.map((sid) => sid[column]));
    assert(letters.size > 20, `column ${column} has ${letters.size} letters`);
  }
});

test('a request that is none of Engine.IO 4 is refused with its code', async (t) => {
  const daemon = await Daemon.start(t);
  const cases: [string, number][] = [
    ['', 0],
    ['?EIO=4', 0],
    ['?EIO=4&transport=abc', 0],
    ['?EIO=4&transport=__proto__', 0],
    ['?EIO=4&transport=constructor', 0],
    ['?transport=polling', 5],
    ['?EIO=3&transport=polling', 5],
    ['?EIO=abc&transport=polling', 5],
    ['?EIO=44&transport=polling', 5],
    ['?EIO=4&transport=polling&sid=unknown', 1],
    ['?EIO=4&transport=polling&sid=', 1],
    ['?EIO=4&transport=websocket', 3],
  ];
  for (const [query, code] of cases) {
    const response = await daemon.fetch(SOCKET_IO + query);
    assert.equal(response.status, 400, query);
    assert.equal((await response.json()).code, code, query);
  }
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
    const response = await daemon.fetch(`${SOCKET_IO}?EIO=4&transport=polling`, { method });
    assert.equal(response.status, 400, method);
    assert.equal((await response.json()).code, 2, method);
  }
  assert.equal(await daemon.counter('peers_opened'), 0);
});

test('text and bytes come back as they were, on either transport', async (t) => {
  const daemon = await Daemon.startConformance(t);
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  const poller = await Poller.open(daemon, ECHO);
  await poller.post('4hello', '4€ \u{1f600} "quoted"', `b${bytes.toString('base64')}`, '4');
  assert.deepEqual(await poller.poll(), [
    '4hello',
    '4€ \u{1f600} "quoted"',
    `b${bytes.toString('base64')}`,
    '4',
  ]);
  const ws = await PacketSocket.begun(daemon, ECHO);
  ws.socket.send('4hello');
  ws.socket.send(bytes);
  ws.socket.send(Buffer.alloc(0));
  assert.deepEqual(await ws.packets.take(3), ['4hello', bytes, Buffer.alloc(0)]);
});

test('a packet that is none closes the session', async (t) => {
  const daemon = await Daemon.startConformance(t);
  for (const packet of ['abc', '7', '', '2', '0{}', '5']) {
    const ws = await PacketSocket.begun(daemon, ECHO);
    ws.socket.send(packet);
    await ws.closed;
    const poller = await Poller.open(daemon, ECHO);
    const answer = await poller.send(packet);
    if (packet === '2' || packet === '0{}' || packet === '5') await answer.text();
    else assert.equal(answer.status, 400, packet);
    await poller.gone();
  }
});

test('a client that answers its pings stays', async (t) => {
  const daemon = await Daemon.startConformance(t, ...quick);
  const ws = await PacketSocket.begun(daemon, ECHO);
  const poller = await Poller.open(daemon, ECHO);
  for (let i = 0; i < 3; i++) {
    assert.equal(await ws.packets.next(), '2');
    ws.socket.send('3');
    assert.deepEqual(await poller.poll(), ['2']);
    await poller.post('3');
  }
});

test('a client that does not is closed in interval and timeout, whatever else it says', async (t) => {
  const daemon = await Daemon.startConformance(t, ...quick);
  const silent = await PacketSocket.begun(daemon, ECHO);
  const chatty = await PacketSocket.begun(daemon, ECHO);
  const chatter = setInterval(() => chatty.socket.send('4still here'), 10);
  daemon.defer(() => clearInterval(chatter));
  const poller = await Poller.open(daemon, ECHO);
  const began = performance.now();
  assert.deepEqual(await silent.closed, { code: 4009, reason: 'ping timeout' });
  assert.deepEqual(await chatty.closed, { code: 4009, reason: 'ping timeout' });
  assert(performance.now() - began > 150);
  await daemon.until('peers', 0);
  await poller.gone();
  assert.equal(await daemon.counter('peers_closed_timeout'), 3);
});

test('a plain WebSocket that answers no ping is closed', async (t) => {
  const daemon = await Daemon.start(t, ...quick);
  const ws = await RawWs.open(daemon, '/ws?sessionId=a');
  const chatter = setInterval(() => ws.send(1, '{"event":"hello"}'), 10);
  daemon.defer(() => clearInterval(chatter));
  assert.equal(await ws.closeCode(), 4009);
});

test('a client that never says what it wants is closed after the connect timeout', async (t) => {
  const daemon = await Daemon.start(t, '--connect-timeout-ms', '100');
  const socketio = await PacketSocket.begun(daemon);
  const plain = await RawWs.open(daemon);
  const poller = await Poller.open(daemon);
  const settled = await PacketSocket.connected(daemon);
  assert.deepEqual(await socketio.closed, { code: 4009, reason: 'connect timeout' });
  assert.equal(await plain.closeCode(), 4009);
  await eventually('the polling session to go', async () => (await daemon.counter('peers')) === 1);
  await poller.gone();
  settled.socket.send('42["fly"]');
});
