// SPDX-License-Identifier: MIT
//
// A watcher that goes and returns a thousand times during a run, over `/ws` with since and epoch and
// over Server-Sent Events with Last-Event-ID. It leaves while a record is on its way, and ends with
// every offset once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Daemon } from './daemon.ts';
import { EventStream } from './event_stream.ts';
import { Plain } from './plain.ts';
import { steps, training } from './trainer.ts';

const returns = 1000;

/** One visit: the offsets that came, from the one after `since` on. */
interface Visit {
  recovered: boolean;
  /** Reads on to this offset. */
  until(offset: number): Promise<unknown>;
  leave(): void;
  offsets(): number[];
}

type Open = (daemon: Daemon, since: number, epoch: string) => Promise<Visit>;

async function plain(daemon: Daemon, since: number, epoch: string): Promise<Visit> {
  const client = await Plain.open(daemon, `/ws?sessionId=a&since=${since}&epoch=${epoch}`);
  return {
    recovered: (await client.named('session_status')).recovered,
    until: (offset) => client.events.until(({ data }) => data?.offset === offset),
    leave: () => client.socket.terminate(),
    offsets: () => client.seen('progress_update').map((data) => data.offset),
  };
}

async function stream(daemon: Daemon, since: number, epoch: string): Promise<Visit> {
  const headers = { 'last-event-id': `${since}` };
  const client = await EventStream.open(daemon, 'a', headers, `?epoch=${epoch}`);
  return {
    recovered: (await client.named('session_status')).data.recovered,
    until: (offset) => client.events.until(({ id }) => id === `${offset}`),
    leave: () => client.close(),
    offsets: () => client.events.all.flatMap(({ id }) => (id === null ? [] : [Number(id)])),
  };
}

const dialects: Record<string, Open> = {
  'the plain WebSocket': plain,
  'Server-Sent Events': stream,
};

for (const [name, open] of Object.entries(dialects)) {
  test(`who returns ${returns} times over ${name} sees every offset once`, async (t) => {
    const daemon = await Daemon.start(t, '--no-throttle');
    const trainer = await training(daemon, 'a');
    const { data } = await daemon.json('/api/training/status/a');
    const all: number[] = [];
    let step = 0;
    for (let i = 0; i < returns; i++) {
      const visit = await open(daemon, all.length, data.epoch);
      assert.equal(visit.recovered, true);
      if (step > 0) await visit.until(step);
      for (let live = i % 3; live > 0; live--) {
        trainer.send(...steps('a', 1, ++step));
        await visit.until(step);
      }
      trainer.send(...steps('a', 1, ++step)); // may be seen, or not
      if (i % 2) await new Promise((resolve) => setImmediate(resolve));
      visit.leave();
      all.push(...visit.offsets());
    }
    const last = await open(daemon, all.length, data.epoch);
    await last.until(step);
    all.push(...last.offsets());
    assert.deepEqual(
      all,
      Array.from({ length: step }, (_, i) => i + 1),
    );
  });
}
