// SPDX-License-Identifier: MIT
//
// Socket.IO packets by hand: the right ones a client library never sends, and the wrong ones.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Daemon } from './daemon.ts';
import { PacketSocket, Poller } from './poller.ts';
import { training } from './trainer.ts';

/** Sends text frames; a session that is still there answers the last, one that is not closes. */
async function survives(ws: PacketSocket, ...packets: (string | Buffer)[]): Promise<boolean> {
  for (const packet of packets) ws.socket.send(packet);
  ws.socket.send('4299["fly"]');
  const ended = ws.closed.then(() => false);
  const answered = ws.text(/^4399\[/).then(() => true);
  answered.catch(() => {});
  return Promise.race([answered, ended]);
}

test('a namespace is joined with 40 and answered with an id and a greeting', async (t) => {
  const daemon = await Daemon.start(t);
  const ws = await PacketSocket.begun(daemon);
  ws.socket.send('40');
  const joined = String(await ws.packets.next());
  const greeting = String(await ws.packets.next());
  const { sid } = JSON.parse(joined.slice(2));
  assert.deepEqual(JSON.parse(greeting.slice(2)), ['connection_established', { client_id: sid }]);
});

test('a second 40 changes nothing', async (t) => {
  const daemon = await Daemon.start(t);
  const ws = await PacketSocket.connected(daemon);
  const before = ws.packets.all.length;
  assert(await survives(ws, '40', '40{"token":"x"}'));
  assert.equal(ws.packets.all.length, before + 1);
});

test('an event before 40 closes the connection', async (t) => {
  const daemon = await Daemon.start(t);
  const ws = await PacketSocket.begun(daemon);
  ws.socket.send('42["subscribe_session",{"sessionId":"a"}]');
  assert.equal((await ws.closed).reason, 'event before connect');
});

test('an unknown namespace is refused, whatever its name', async (t) => {
  const daemon = await Daemon.start(t);
  const ws = await PacketSocket.connected(daemon);
  for (const name of ['/x', '/__proto__', '/constructor', '/admin', '/x y']) {
    ws.socket.send(`40${name},`);
    assert.equal(await ws.packets.next(), `44${name},{"message":"Invalid namespace"}`);
  }
  ws.socket.send('40/x?token=secret,{}');
  assert.equal(await ws.packets.next(), '44/x,{"message":"Invalid namespace"}');
  const long = await PacketSocket.connected(daemon);
  long.socket.send(`40/${'x'.repeat(10_000)},`);
  await long.closed;
});

test('an auth payload is an object or refused, and another may follow', async (t) => {
  const daemon = await Daemon.start(t);
  const deep = `${'{"a":'.repeat(1000)}1${'}'.repeat(1000)}`;
  for (const auth of ['', '{}', '{"token":"x"}', `{"x":"${'y'.repeat(100_000)}"}`]) {
    const ws = await PacketSocket.begun(daemon);
    ws.socket.send(`40${auth}`);
    assert.match(String(await ws.packets.next()), /^40\{"sid":/);
  }
  for (const auth of ['[1]', '"text"', 'null', '{', deep]) {
    const ws = await PacketSocket.begun(daemon);
    ws.socket.send(`40${auth}`);
    assert.match(String(await ws.packets.next()), /^44\{"message":/, auth.slice(0, 20));
    ws.socket.send('40');
    assert.match(String(await ws.packets.next()), /^40\{"sid":/);
  }
});

test('what is no packet closes the connection, and the daemon lives', async (t) => {
  const daemon = await Daemon.start(t);
  const wrong = [
    '4',
    '4abc',
    '49',
    '42',
    '42{}',
    '42[]',
    '42["a"',
    '42[1]',
    '42[null]',
    '42["a"]]',
  ];
  wrong.push('42abc["x"]', '42999999999999999999999["x"]', '42["x",]', '42[["x"]]');
  wrong.push('42["connect"]', '42["disconnect"]', '44{"message":"x"}', '4-2["x"]');
  for (const packet of wrong) {
    const ws = await PacketSocket.connected(daemon);
    ws.socket.send(packet);
    await ws.closed;
    const poller = await Poller.connected(daemon);
    await (await poller.send(packet)).text();
    await poller.gone();
  }
  assert.equal((await daemon.fetch('/health')).status, 200);
});

test('attachments that are none, too many or out of place close the connection', async (t) => {
  const daemon = await Daemon.start(t);
  const one = '{"_placeholder":true,"num":0}';
  const wrong: (string | Buffer)[][] = [
    [`451-["x",${one}]`, '42["y"]'],
    [Buffer.from('loose')],
    ['45-["x"]'],
    ['451000000000-["x"]'],
    [`451-["x",{"_placeholder":true,"num":1}]`, Buffer.from('a')],
    [`451-["x",{"_placeholder":true,"num":-1}]`, Buffer.from('a')],
    [`451-["x",{"_placeholder":true,"num":"0"}]`, Buffer.from('a')],
  ];
  for (const packets of wrong) {
    const ws = await PacketSocket.connected(daemon);
    for (const packet of packets) ws.socket.send(packet);
    await ws.closed;
  }
  const right = await PacketSocket.connected(daemon);
  assert(await survives(right, `451-["x",${one}]`, Buffer.from('a')));
});

test('a binary event may be acknowledged, and comes back whole in the echo', async (t) => {
  const daemon = await Daemon.startConformance(t);
  const ws = await PacketSocket.begun(daemon);
  ws.socket.send('40');
  await ws.text(/^42\["auth",/);
  ws.socket.send(
    '452-7["message-with-ack",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]',
  );
  ws.socket.send(Buffer.from('first'));
  ws.socket.send(Buffer.from('second'));
  const ack = String(await ws.packets.next());
  assert.match(ack, /^462-7\[\{"_placeholder":true,"num":1\},\{"_placeholder":true,"num":0\}\]$/);
  const bytes = await ws.packets.take(2);
  assert.deepEqual(bytes.map(String), ['first', 'second']);
});

test('attachments that never come hold no more than a message may', async (t) => {
  const daemon = await Daemon.start(t, '--max-payload', '10000');
  const ws = await PacketSocket.connected(daemon);
  ws.socket.send('458-["x",{"_placeholder":true,"num":0}]');
  for (let i = 0; i < 7; i++) ws.socket.send(Buffer.alloc(5000));
  await ws.closed;
});

test('acknowledgements that nobody asked for are passed over', async (t) => {
  const daemon = await Daemon.start(t);
  const ws = await PacketSocket.connected(daemon);
  const many = JSON.stringify(Array.from({ length: 1000 }, (_, i) => i));
  assert(await survives(ws, '430[]', '43999["x"]', '43999["x"]', `431${many}`));
});

test('an id comes back in the acknowledgement as it was', async (t) => {
  const daemon = await Daemon.start(t);
  const ws = await PacketSocket.connected(daemon);
  for (const id of ['0', '7', '4294967296', '9007199254740991']) {
    ws.socket.send(`42${id}["unsubscribe_session",{"sessionId":"a"}]`);
    assert.equal(await ws.packets.next(), `43${id}[{"success":true,"sessionId":"a"}]`);
  }
});

test('who leaves the namespace with 41 hears nothing more and may come back', async (t) => {
  const daemon = await Daemon.start(t);
  const trainer = await training(daemon, 'a');
  const ws = await PacketSocket.connected(daemon);
  ws.socket.send('42["subscribe_session",{"sessionId":"a"}]');
  await ws.text(/session_status/);
  ws.socket.send('41');
  await daemon.until('rooms', 1);
  ws.socket.send('40');
  await ws.text(/connection_established/);
  await trainer.push({ type: 'complete' });
  ws.socket.send('42["get_session_history",{"sessionId":"a"}]');
  await ws.text(/session_history/);
  assert(!ws.packets.all.some((packet) => String(packet).includes('training_completed')));
});
