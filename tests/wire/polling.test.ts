// SPDX-License-Identifier: MIT
//
// Long-polling: what a poll gets and when, and what a body may hold.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { Daemon } from './daemon.ts';
import { lifecycle } from './lifecycle.ts';
import { ECHO, Poller, SEPARATOR } from './poller.ts';
import { RawHttp, request } from './raw_http.ts';
import { steps, training } from './trainer.ts';

test('a poll waits until there is something', async (t) => {
  const daemon = await Daemon.start(t);
  const trainer = await training(daemon, 'a');
  const poller = await Poller.connected(daemon);
  await poller.post('42["subscribe_session",{"sessionId":"a"}]');
  assert.match(await poller.packet(), /^42\["session_status",/);
  const poll = poller.poll();
  await trainer.push(...steps('a', 1));
  const [update, ...more] = await poll;
  assert.match(update ?? '', /^42\["progress_update",/);
  assert.deepEqual(more, []);
});

test('a poll above 1 KiB is gzipped for who takes it', async (t) => {
  const bodies = [];
  for (const [accept, ...options] of [['gzip'], ['identity'], ['gzip', '--no-compression']]) {
    const daemon = await Daemon.start(t, '--max-rate', '1000', ...options);
    const trainer = await training(daemon, 'a');
    await trainer.push(...steps('a', 1));
    const packs = accept === 'gzip' && options.length === 0;
    const poller = await Poller.connected(daemon);
    await poller.post('42["subscribe_session",{"sessionId":"a"}]');
    assert.match(await poller.packet(), /session_status/);
    await poller.post('42["get_session_history",{"sessionId":"a"}]');
    await poller.poll();
    for (let step = 0; step < 9; step++) {
      await poller.post('42["get_session_history",{"sessionId":"a"}]');
    }
    const http = await RawHttp.connect(daemon);
    http.write(request('GET', poller.path, `Accept-Encoding: ${accept}`));
    const { headers, body } = await http.response();
    assert.equal(headers['content-encoding'], packs ? 'gzip' : undefined);
    bodies.push(body);
  }
  const [packed, plain] = bodies as [Buffer, Buffer];
  assert(plain.length > 1024 && packed.length < plain.length / 2);
  assert.match(String(gunzipSync(packed)), /^42\["session_history",/);
});

test('what came between two polls is in the next, newest value and all events', async (t) => {
  const daemon = await Daemon.start(t);
  const trainer = await training(daemon, 'a');
  const poller = await Poller.connected(daemon);
  await poller.post('42["subscribe_session",{"sessionId":"a"}]');
  assert.match(await poller.packet(), /session_status/);
  await trainer.push(...steps('a', 5), { type: 'model_completed', modelIndex: 0 });
  await trainer.push(...steps('a', 5, 6), { type: 'complete' });
  const packets = await poller.poll();
  const told = packets
    .map((packet) => JSON.parse(packet.slice(2)))
    .map(([event, data]) => ({ event, step: data.metrics?.currentStep }));
  assert.deepEqual(
    lifecycle(told).map(({ event, step }) => [event, step]),
    [
      ['progress_update', 5],
      ['model_completed', undefined],
      ['progress_update', 10],
      ['training_completed', undefined],
    ],
  );
});

test('an answer holds sixteen packets and the rest waits for the next', async (t) => {
  const daemon = await Daemon.startConformance(t);
  const poller = await Poller.open(daemon, ECHO);
  const sent = Array.from({ length: 40 }, (_, i) => `4${i}`);
  await poller.post(...sent);
  const answers = [await poller.poll(), await poller.poll(), await poller.poll()];
  assert.deepEqual(
    answers.map((packets) => packets.length),
    [16, 16, 8],
  );
  assert.deepEqual(answers.flat(), sent);
});

test('two polls at once close the session', async (t) => {
  const daemon = await Daemon.startConformance(t);
  const poller = await Poller.open(daemon, ECHO);
  const first = await RawHttp.connect(daemon);
  first.write(request('GET', poller.path));
  await first.taken(daemon);
  assert.equal((await poller.get()).status, 400);
  assert.equal(String((await first.response()).body), '1');
  await poller.gone();
});

test('a poll that is broken off closes the session', async (t) => {
  const daemon = await Daemon.startConformance(t);
  const poller = await Poller.open(daemon, ECHO);
  const first = await RawHttp.connect(daemon);
  first.write(request('GET', poller.path));
  await first.taken(daemon);
  first.socket.destroy();
  await daemon.until('peers', 0);
  await poller.gone();
});

test('a client may say goodbye, and its poll is ended', async (t) => {
  const daemon = await Daemon.startConformance(t);
  const poller = await Poller.open(daemon, ECHO);
  const waiting = await RawHttp.connect(daemon);
  waiting.write(request('GET', poller.path));
  await waiting.taken(daemon);
  await poller.post('1');
  assert.equal(String((await waiting.response()).body), '6');
  await poller.gone();
});

test('a request after a parked poll on the same connection waits for its turn', async (t) => {
  const daemon = await Daemon.startConformance(t);
  const poller = await Poller.open(daemon, ECHO);
  const http = await RawHttp.connect(daemon);
  http.write(request('GET', poller.path));
  await http.taken(daemon);
  http.write(request('GET', '/health'));
  await poller.post('4hello');
  assert.equal(String((await http.response()).body), '4hello');
  assert.match(String((await http.response()).body), /healthy/);
});

test('a body that is no payload is refused and the session closed', async (t) => {
  const daemon = await Daemon.startConformance(t);
  const many = Array.from({ length: 20_000 }, () => '4').join(SEPARATOR);
  const bodies: Record<string, string | Buffer> = {
    empty: '',
    separators: SEPARATOR.repeat(5),
    'an empty packet': `4a${SEPARATOR}`,
    'twenty thousand packets': many,
    'bad base64': 'b!!!!',
    'unknown type': '9x',
    'not UTF-8': Buffer.from([0x34, 0xff, 0xfe]),
  };
  for (const [name, body] of Object.entries(bodies)) {
    const poller = await Poller.open(daemon, ECHO);
    const answer = await poller.send(body);
    assert.equal(answer.status, 400, name);
    assert.equal((await answer.json()).code, 3, name);
    await poller.gone();
  }
});

test('packets before the bad one have been taken', async (t) => {
  const daemon = await Daemon.start(t);
  const poller = await Poller.connected(daemon);
  const answer = await poller.send(`42["subscribe_session",{"sessionId":"a"}]${SEPARATOR}abc`);
  assert.equal(answer.status, 400);
  await poller.gone();
  assert.equal(await daemon.counter('rooms'), 0);
});

test('only text is taken, whatever a form or a file would send', async (t) => {
  const daemon = await Daemon.startConformance(t);
  const poller = await Poller.open(daemon, ECHO);
  for (const type of ['application/octet-stream', 'multipart/form-data; boundary=x', 'image/png']) {
    assert.equal((await poller.send('4no', type)).status, 400, type);
  }
  for (const type of ['text/plain', 'text/plain;charset=UTF-8', 'text/plain; charset=utf-8']) {
    assert.equal((await poller.send('4yes', type)).status, 200, type);
  }
  assert.deepEqual(await poller.poll(), ['4yes', '4yes', '4yes']);
});

test('a body may be as long as --max-payload and no longer', async (t) => {
  const daemon = await Daemon.startConformance(t, '--max-payload', '5000');
  const poller = await Poller.open(daemon, ECHO);
  const longest = `4${'x'.repeat(4999)}`;
  await poller.post(longest);
  assert.deepEqual(await poller.poll(), [longest]);
  const http = await RawHttp.connect(daemon);
  http.write(request('POST', poller.path, 'Content-Type: text/plain', 'Content-Length: 5001'));
  assert.equal((await http.response()).status, 413);
  await poller.post('4still open');
  assert.deepEqual(await poller.poll(), ['4still open']);
});

test('other methods on a session are refused and it goes on', async (t) => {
  const daemon = await Daemon.startConformance(t);
  const poller = await Poller.open(daemon, ECHO);
  for (const method of ['PUT', 'DELETE', 'PATCH']) {
    const answer = await daemon.fetch(poller.path, { method });
    assert.deepEqual([answer.status, (await answer.json()).code], [400, 2], method);
  }
  await poller.post('4hello');
  assert.deepEqual(await poller.poll(), ['4hello']);
});
