// SPDX-License-Identifier: MIT
//
// permessage-deflate, both ways.
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { Daemon } from './daemon.ts';
import { Plain } from './plain.ts';
import { RawWs, TEXT } from './raw_ws.ts';
import { connect } from './socketio.ts';
import { progress, steps, training } from './trainer.ts';

const offer = 'Sec-WebSocket-Extensions: permessage-deflate';
/** For who reads each message by itself. */
const selfContained = `${offer}; server_no_context_takeover; client_max_window_bits`;
const tail = Buffer.from('0000ffff', 'hex');

function deflate(text: string | Buffer): Buffer {
  const whole = deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH });
  return whole.subarray(0, -tail.length);
}

/** Bytes that the daemon has sent this client. */
function received(client: Plain): number {
  return (client.socket as unknown as { _socket: Socket })._socket.bytesRead;
}

function inflate(payload: Buffer): string {
  const options = { finishFlush: constants.Z_SYNC_FLUSH };
  return String(inflateRawSync(Buffer.concat([payload, tail]), options));
}

test('updates are deflated for who takes it, and read the same by everybody', async (t) => {
  const daemon = await Daemon.start(t);
  const trainer = await training(daemon, 'a');
  const packed = await Plain.open(daemon, '/ws?sessionId=a');
  const plain = await Plain.open(daemon, '/ws?sessionId=a', { perMessageDeflate: false });
  assert.equal(packed.socket.extensions, 'permessage-deflate');
  assert.equal(plain.socket.extensions, '');
  const raw = await RawWs.open(daemon, '/ws?sessionId=a', selfContained);
  const more = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`metric_${i}`, i / 7]));
  await trainer.push(progress('a', { loss: 1, ...more }));
  const update = await packed.named('progress_update');
  assert.deepEqual(update, await plain.named('progress_update'));
  for (;;) {
    const { rsv1, payload } = await raw.until(TEXT);
    const text = rsv1 ? inflate(payload) : String(payload);
    if (JSON.parse(text).event !== 'progress_update') continue;
    assert(rsv1 && payload.length < text.length / 2);
    assert.deepEqual(JSON.parse(text).data, update);
    break;
  }
});

test('one frame is deflated once, however many get it', async (t) => {
  const daemon = await Daemon.start(t);
  const trainer = await training(daemon, 'a');
  const clients = [];
  for (let i = 0; i < 25; i++) clients.push(await Plain.open(daemon, '/ws?sessionId=a'));
  for (const client of clients) await client.named('session_status');
  const before = await daemon.counter('deflates');
  const linked = await daemon.counter('deflates_linked');
  for (let step = 1; step <= 2; step++) {
    await trainer.push(...steps('a', 1, step));
    for (const client of clients) await client.named('progress_update');
  }
  assert.equal(await daemon.counter('deflates'), before + 2);
  assert.equal(await daemon.counter('deflates_linked'), linked + 1);
});

test('a message refers to the one before it, whoever comes and goes', async (t) => {
  const daemon = await Daemon.start(t, '--max-rate', '1000');
  const trainer = await training(daemon, 'a', 'b');
  const first = await Plain.open(daemon, '/ws?sessionId=a');
  const both = await Plain.open(daemon, '/ws?sessionId=a&sessionId=b');
  const io = await connect(daemon, { transports: ['websocket'] });
  await io.ask('subscribe_session', { sessionId: 'a' });
  const others = [];
  let bytes = 0;
  for (let step = 1; step <= 100; step++) {
    if (step % 10 === 0) others.push(await Plain.open(daemon, '/ws?sessionId=a'));
    if (step % 30 === 0) others.shift()?.socket.terminate();
    const read = received(first);
    await trainer.push(...steps('a', 1, step), ...steps('b', 1, step));
    for (const client of [first, both, io, ...others]) {
      const update = ({ event, data }: { event: string; data: any }): boolean =>
        event === 'progress_update' && data.sessionId === 'a' && data.metrics.currentStep >= step;
      assert.equal((await client.events.until(update)).data.metrics.currentStep, step);
    }
    if (step > 1) bytes += received(first) - read;
  }
  assert(bytes / 99 <= 60, `${bytes / 99} bytes an update`);
  const told = both.seen('progress_update').filter(({ sessionId }) => sessionId === 'b');
  assert(told.length > 90 && told.every(({ metrics }, i) => metrics.currentStep >= i + 1));
});

test('--no-compression declines it', async (t) => {
  const daemon = await Daemon.start(t, '--no-compression');
  const client = await Plain.open(daemon);
  assert.equal(client.socket.extensions, '');
});

test('four clients may send a thousand deflated messages each', async (t) => {
  const daemon = await Daemon.start(t);
  const note = Array.from({ length: 400 }, (_, i) => (i * 2654435761) >>> 0).join(' ');
  const clients = await Promise.all(Array.from({ length: 4 }, () => Plain.open(daemon)));
  for (const client of clients) {
    for (let id = 1; id <= 1000; id++) {
      client.send('unsubscribe_session', { sessionId: 'a', note: note.slice(id % 7) }, id);
    }
  }
  for (const client of clients) {
    const acks = await client.events.take(1000);
    assert.deepEqual(
      acks.map((ack) => ack.id),
      Array.from({ length: 1000 }, (_, i) => i + 1),
    );
  }
});

test('a deflate bomb closes with 1009 and takes no memory', async (t) => {
  const daemon = await Daemon.start(t);
  const before = daemon.rssBytes();
  const bomb = deflate(Buffer.alloc(200 << 20, 'x'));
  assert(bomb.length < 1_000_000);
  const whole = await RawWs.open(daemon, '/ws', `${offer}; client_max_window_bits`);
  whole.send(TEXT, bomb, { rsv: 4 });
  assert.equal(await whole.closeCode(), 1009);
  const parts = await RawWs.open(daemon, '/ws', `${offer}; client_max_window_bits`);
  parts.send(TEXT, bomb.subarray(0, 1000), { rsv: 4, fin: false });
  parts.send(0, bomb.subarray(1000));
  assert.equal(await parts.closeCode(), 1009);
  assert(daemon.grewLess(16 << 20, before));
});
