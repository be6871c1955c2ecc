// SPDX-License-Identifier: MIT
//
// What the official suites ask of a server, asked in our own words, of the conformance build: the
// echo of Engine.IO, and namespaces, payloads, bytes and acknowledgements of Socket.IO.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Daemon } from './daemon.ts';
import { ECHO, PacketSocket, Poller } from './poller.ts';
import { client } from './socketio.ts';

const bytes = Buffer.from([0, 1, 2, 0xfe, 0xff]);

test('the handshake payload of each namespace comes back as an event', async (t) => {
  const daemon = await Daemon.startConformance(t);
  const ws = await PacketSocket.begun(daemon);
  for (const [connect, nsp, auth] of [
    ['40', '', '{}'],
    ['40/custom,{"token":"abc"}', '/custom,', '{"token":"abc"}'],
  ] as const) {
    ws.socket.send(connect);
    assert.match(String(await ws.packets.next()), new RegExp(`^40${nsp}\\{"sid":"[^"]+"\\}$`));
    assert.equal(await ws.packets.next(), `42${nsp}["auth",${auth}]`);
  }
});

test('namespaces on one connection come and go by themselves', async (t) => {
  const daemon = await Daemon.startConformance(t);
  const ws = await PacketSocket.begun(daemon);
  ws.socket.send('40/custom,');
  await ws.text(/^42\/custom,\["auth",/);
  ws.socket.send('40');
  await ws.text(/^42\["auth",/);
  ws.socket.send('42/custom,["message","there"]');
  assert.equal(await ws.packets.next(), '42/custom,["message-back","there"]');
  ws.socket.send('41/custom,');
  ws.socket.send('42["message","here"]');
  assert.equal(await ws.packets.next(), '42["message-back","here"]');
  ws.socket.send('42/custom,["message","left"]');
  assert.equal((await ws.closed).reason, 'event before connect');
});

test('arguments of every kind come back as they were', async (t) => {
  const daemon = await Daemon.startConformance(t);
  const args = '1,"2",{"3":[true,null]},[],{},"\\u000a\\"\\\\€",-1.5e-7,9007199254740993';
  for (const open of [PacketSocket.begun, Poller.open]) {
    const peer = await open(daemon);
    const send = (packet: string) =>
      peer instanceof Poller ? peer.post(packet) : peer.socket.send(packet);
    const next = () => (peer instanceof Poller ? peer.packet() : peer.packets.next());
    await send('40');
    await next();
    await next();
    await send(`42["message",${args}]`);
    assert.equal(await next(), `42["message-back",${args}]`);
    await send(`42456["message-with-ack",${args}]`);
    assert.equal(await next(), `43456[${args}]`);
  }
});

test('bytes go both ways on either transport', async (t) => {
  const daemon = await Daemon.startConformance(t);
  const header = '["message",{"_placeholder":true,"num":0},"and",{"_placeholder":true,"num":1}]';
  const back = header.replace('"message"', '"message-back"');
  const ws = await PacketSocket.begun(daemon);
  ws.socket.send('40');
  await ws.text(/^42\["auth"/);
  for (const part of [`452-${header}`, bytes, Buffer.from('two')]) ws.socket.send(part);
  assert.deepEqual(await ws.packets.take(3), [`452-${back}`, bytes, Buffer.from('two')]);
  const poller = await Poller.open(daemon);
  await poller.post('40');
  await poller.packet();
  await poller.packet();
  const encoded = `b${bytes.toString('base64')}`;
  await poller.post(`452-${header}`, encoded, 'b');
  const packets = [await poller.packet(), await poller.packet(), await poller.packet()];
  assert.deepEqual(packets, [`452-${back}`, encoded, 'b']);
});

for (const transports of [['polling', 'websocket'], ['websocket'], ['polling']]) {
  test(`socket.io-client exchanges what it likes on ${transports.join(' and ')}`, async (t) => {
    const daemon = await Daemon.startConformance(t);
    const viewer = client(daemon, { transports, auth: { token: 'abc' } }, '/custom');
    assert.deepEqual(await viewer.named('auth'), { token: 'abc' });
    const nested = { list: [1, { deep: bytes }], text: '€', none: null };
    viewer.socket.emit('message', nested);
    assert.deepEqual(await viewer.named('message-back'), nested);
    const ack: unknown = await viewer.socket.timeout(10_000).emitWithAck('message-with-ack', bytes);
    assert.deepEqual(ack, bytes);
    const large = Buffer.alloc(500_000, 'x');
    assert.deepEqual(await viewer.ask('message-with-ack', large), large);
  });
}

test('a large message is the same after a hundred echoes in flight', async (t) => {
  const daemon = await Daemon.startConformance(t);
  const ws = await PacketSocket.begun(daemon, ECHO);
  const texts = Array.from({ length: 100 }, (_, i) => `4${String(i).repeat(10_000)}`);
  for (const text of texts) ws.socket.send(text);
  assert.deepEqual(await ws.packets.take(100), texts);
});
