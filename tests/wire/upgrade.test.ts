// SPDX-License-Identifier: MIT
//
// From long-polling to WebSocket: 2probe, 3probe, 5. Whatever is sent meanwhile arrives once, in
// order, on one of the two.
import assert from 'node:assert/strict';
import { lifecycle } from './lifecycle.ts';
import { test } from 'node:test';
import { Daemon } from './daemon.ts';
import { ECHO, PacketSocket, Poller, SOCKET_IO } from './poller.ts';
import { RawHttp, request } from './raw_http.ts';
import { exchange, statuses } from './raw_http.ts';
import { upgrade } from './raw_ws.ts';
import { steps, training, type Trainer } from './trainer.ts';

/** A WebSocket that has probed this session. */
async function probed(daemon: Daemon, poller: Poller): Promise<PacketSocket> {
  const ws = await PacketSocket.open(daemon, poller.mount, poller.handshake.sid);
  ws.socket.send('2probe');
  assert.equal(await ws.packets.next(), '3probe');
  return ws;
}

async function watching(daemon: Daemon): Promise<{ poller: Poller; trainer: Trainer }> {
  const trainer = await training(daemon, 'a');
  const poller = await Poller.connected(daemon);
  await poller.post('42["subscribe_session",{"sessionId":"a"}]');
  assert.match(await poller.packet(), /session_status/);
  return { poller, trainer };
}

/** The steps of the updates and the indices of the events in these packets. */
function told(packets: (string | Buffer)[]): string[] {
  const events = packets
    .map((packet) => JSON.parse(String(packet).slice(2)))
    .map(([event, data]) => ({ event, data }));
  return lifecycle(events).map(({ event, data }) =>
    `${event} ${data.metrics?.currentStep ?? data.modelIndex ?? ''}`.trim(),
  );
}

const model = (modelIndex: number) => ({ type: 'model_completed', modelIndex });

test('what is sent between probe and upgrade arrives once, in order', async (t) => {
  const daemon = await Daemon.start(t);
  const { poller, trainer } = await watching(daemon);
  await trainer.push(...steps('a', 3), model(0));
  const ws = await probed(daemon, poller);
  await trainer.push(...steps('a', 3, 4), model(1));
  ws.socket.send('5');
  await trainer.push(...steps('a', 3, 7), model(2), { type: 'complete' });
  await ws.text(/training_completed/);
  assert.deepEqual(told(ws.packets.all.slice(1)), [
    'progress_update 3',
    'model_completed 0',
    'progress_update 6',
    'model_completed 1',
    'progress_update 9',
    'model_completed 2',
    'training_completed',
  ]);
});

test('polls during the probe are ended at once, and take nothing with them', async (t) => {
  const daemon = await Daemon.start(t);
  const { poller, trainer } = await watching(daemon);
  const waiting = await RawHttp.connect(daemon);
  waiting.write(request('GET', poller.path));
  await waiting.taken(daemon);
  const ws = await probed(daemon, poller);
  assert.equal(String((await waiting.response()).body), '6');
  await trainer.push(model(0));
  for (let i = 0; i < 5; i++) assert.deepEqual(await poller.poll(), ['6']);
  ws.socket.send('5');
  assert.deepEqual(told([await ws.packets.next()]), ['model_completed 0']);
});

test('what the client posts during the probe is taken', async (t) => {
  const daemon = await Daemon.startConformance(t);
  const poller = await Poller.open(daemon, ECHO);
  const ws = await probed(daemon, poller);
  await poller.post('4hello');
  ws.socket.send('5');
  assert.equal(await ws.packets.next(), '4hello');
  ws.socket.send('4again');
  assert.equal(await ws.packets.next(), '4again');
});

test('a probe that goes wrong leaves the session on polling, with all that was sent', async (t) => {
  const daemon = await Daemon.start(t);
  const failures: Record<string, (ws: PacketSocket) => void> = {
    'closed before the probe': (ws) => ws.socket.close(),
    'wrong text': (ws) => ws.socket.send('2wrong'),
    'no probe but an upgrade': (ws) => ws.socket.send('5'),
    'a binary probe': (ws) => ws.socket.send(Buffer.from('2probe')),
    'a message first': (ws) => ws.socket.send('42["fly"]'),
  };
  for (const [name, fail] of Object.entries(failures)) {
    const { poller, trainer } = await watching(daemon);
    await trainer.push(model(0));
    const ws = await PacketSocket.open(daemon, SOCKET_IO, poller.handshake.sid);
    fail(ws);
    await ws.closed;
    assert.deepEqual(told(await poller.poll()), ['model_completed 0'], name);
    const again = await probed(daemon, poller);
    again.socket.send('5');
    await trainer.push({ type: 'complete' });
    assert.deepEqual(told([await again.packets.next()]), ['training_completed'], name);
  }
});

test('a WebSocket that closes after its probe loses nothing', async (t) => {
  const daemon = await Daemon.start(t);
  for (const close of ['close', 'terminate'] as const) {
    const { poller, trainer } = await watching(daemon);
    const ws = await probed(daemon, poller);
    await trainer.push(...steps('a', 2), model(0));
    ws.socket[close]();
    await ws.closed;
    let packets: string[] = ['6'];
    while (packets[0] === '6') packets = await poller.poll();
    assert.deepEqual(told(packets), ['progress_update 2', 'model_completed 0'], close);
  }
});

test('a second WebSocket is refused, and the first goes on', async (t) => {
  const daemon = await Daemon.startConformance(t);
  for (const stage of ['open', 'probed', 'upgraded']) {
    const poller = await Poller.open(daemon, ECHO);
    const { sid } = poller.handshake;
    const first = await PacketSocket.open(daemon, ECHO, sid);
    if (stage !== 'open') {
      first.socket.send('2probe');
      assert.equal(await first.packets.next(), '3probe');
    }
    if (stage === 'upgraded') {
      first.socket.send('5');
      first.socket.send('4x');
      assert.equal(await first.packets.next(), '4x');
    }
    const second = await PacketSocket.open(daemon, ECHO, sid);
    await second.closed;
    if (stage === 'open') first.socket.send('2probe');
    if (stage === 'open') assert.equal(await first.packets.next(), '3probe');
    if (stage !== 'upgraded') first.socket.send('5');
    first.socket.send('4still here');
    assert.equal(await first.packets.next(), '4still here', stage);
  }
});

test('an upgraded session polls no more', async (t) => {
  const daemon = await Daemon.startConformance(t);
  const poller = await Poller.open(daemon, ECHO);
  const ws = await probed(daemon, poller);
  ws.socket.send('5');
  ws.socket.send('4x');
  assert.equal(await ws.packets.next(), '4x');
  assert.equal((await poller.get()).status, 400);
  assert.equal((await poller.send('4no')).status, 400);
  ws.socket.send('4still here');
  assert.equal(await ws.packets.next(), '4still here');
});

test('a session that begins on WebSocket does not upgrade, and one of another mount neither', async (t) => {
  const daemon = await Daemon.startConformance(t);
  const ws = await PacketSocket.open(daemon, ECHO);
  const { sid } = JSON.parse(String(await ws.packets.next()).slice(1));
  const second = await PacketSocket.open(daemon, ECHO, sid);
  await second.closed;
  const poller = await Poller.open(daemon, ECHO);
  const query = `?EIO=4&transport=websocket&sid=`;
  const stranger = await PacketSocket.open(daemon, SOCKET_IO, poller.handshake.sid).catch(
    () => null,
  );
  if (stranger) await stranger.closed;
  const unknown = await exchange(daemon, upgrade(`${ECHO}${query}unknown`));
  assert.deepEqual(statuses(unknown), [400]);
  ws.socket.send('4still here');
  assert.equal(await ws.packets.next(), '4still here');
});
