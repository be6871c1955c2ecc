// SPDX-License-Identifier: MIT
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Client } from './client';
import { FakeDaemon } from './fake_daemon';

let daemon: FakeDaemon;
let client: Client;
const onChange = vi.fn();
const asked = (what: string) => daemon.asked.filter((text) => text.startsWith(what)).length;

beforeEach(() => {
  daemon = new FakeDaemon();
  daemon.runs = [{ session_id: 'a', status: 'running', start_time: 1 }];
  onChange.mockReset();
  client = new Client(daemon.wires, onChange);
});

describe('transport/client', () => {
  it('lists the runs before any socket is up', async () => {
    await daemon.settle();
    expect(client.runs.runs.map((run) => run.sessionId)).toEqual(['a']);
    expect(daemon.rooms).toEqual(new Set(['*']));
  });

  it('opens a run once and leaves it', () => {
    const open = client.session('a');
    expect(client.session('a')).toBe(open);
    expect(daemon.rooms).toEqual(new Set(['*', 'a']));
    client.leave('a');
    expect(daemon.rooms).toEqual(new Set(['*']));
    expect(client.session('a')).not.toBe(open);
  });

  it('gives an event to the list and to the open run', async () => {
    const open = client.session('a');
    daemon.handlers?.onUp('websocket');
    await daemon.settle();
    daemon.say('training_completed', { sessionId: 'a' });
    expect(open.state.session?.status).toBe('completed');
    expect(client.runs.runs[0]?.status).toBe('completed');
  });

  it('asks for the list when a run starts', async () => {
    await daemon.settle();
    daemon.runs = [{ session_id: 'b', status: 'running', start_time: 2 }, ...daemon.runs];
    daemon.say('training_started', { sessionId: 'b' });
    await daemon.settle();
    expect(client.runs.runs.map((run) => run.sessionId)).toEqual(['b', 'a']);
  });

  it('lists what is searched for, and takes no answer to an older question', async () => {
    daemon.runs = ['aa', 'b'].map((id) => ({ session_id: id, status: 'running', start_time: 1 }));
    client.search('a');
    client.search('b');
    await daemon.settle();
    expect(client.runs.runs.map((run) => run.sessionId)).toEqual(['b']);
    expect([asked('sessions a'), asked('sessions b')]).toEqual([1, 1]);
  });

  it('pins a run and lists it so', async () => {
    await client.pin('a', true);
    expect(client.runs.runs[0]?.pinned).toBe(true);
  });

  it('tells a trainer to stop, and keeps what became of that until the run begins anew', async () => {
    const stopped = client.orders.stop('a', 'enough');
    expect(client.orders.of('a')).toEqual({ kind: 'asking' });
    await stopped;
    expect(daemon.asked).toContain('control a stop enough');
    expect(client.orders.of('a')).toEqual({ kind: 'told', at: 1000 });
    daemon.refusal = 'No trainer of this session is connected';
    await client.orders.stop('a', '');
    expect(client.orders.of('a')).toEqual({ kind: 'refused', why: daemon.refusal });
    daemon.say('training_started', { sessionId: 'a' });
    expect(client.orders.of('a')).toBeUndefined();
  });

  it('tells how fast an open run is recorded and told, and what the daemon dropped', async () => {
    client.session('a');
    daemon.handlers?.onUp('websocket');
    daemon.counted = { maxRate: 10, linesRefused: 1, valuesIgnored: 0, recordsNotKept: 0 };
    for (let second = 0; second < 4; second++) {
      daemon.say('progress_update', { sessionId: 'a', offset: second * 50, metrics: {} });
      await daemon.pass(1);
    }
    expect(client.rates('a')).toEqual({ recorded: 50, told: 1 });
    expect(client.stats).toEqual(daemon.counted);
    client.leave('a');
    expect(client.rates('a')).toBeNull();
  });

  it('asks slowly while a socket is up', async () => {
    daemon.handlers?.onUp('websocket');
    await daemon.settle();
    client.session('a');
    await daemon.settle();
    daemon.asked.length = 0;
    await daemon.pass(20);
    expect([asked('sessions'), asked('status'), asked('history')]).toEqual([4, 4, 0]);
  });

  it('asks each second while no socket comes, and says so', async () => {
    const open = client.session('a');
    await daemon.pass(2);
    expect(client.link).toBe('http');
    daemon.asked.length = 0;
    daemon.entries.a = [{ offset: 0, loss: 4 }];
    await daemon.pass(5);
    expect([asked('status'), asked('history'), asked('sessions')]).toEqual([5, 5, 1]);
    expect(open.series.length).toBe(1);
  });

  it('is offline when HTTP fails too, and back when it answers', async () => {
    daemon.reachable = false;
    await daemon.pass(3);
    expect(client.link).toBe('offline');
    daemon.reachable = true;
    await daemon.pass(1);
    expect(client.link).toBe('http');
  });

  it('stops asking when a socket is back, and catches up once', async () => {
    client.session('a');
    await daemon.pass(5);
    daemon.handlers?.onUp('polling');
    await daemon.settle();
    expect(client.link).toBe('polling');
    daemon.asked.length = 0;
    daemon.handlers?.onUp('websocket');
    await daemon.pass(10);
    expect(asked('status')).toBe(2);
    expect(client.link).toBe('websocket');
  });

  it('does not run to HTTP at a short loss', async () => {
    daemon.handlers?.onUp('websocket');
    client.session('a');
    await daemon.pass(1);
    const before = asked('status');
    daemon.handlers?.onDown();
    expect(client.link).toBe('connecting');
    await daemon.pass(1);
    expect(asked('status')).toBe(before);
    daemon.handlers?.onUp('polling');
    await daemon.settle();
    expect(asked('status')).toBe(before + 1);
  });

  it('asks no more when closed', async () => {
    await daemon.settle();
    client.close();
    const before = daemon.asked.length;
    await daemon.pass(10);
    expect(daemon.asked.length).toBe(before);
  });
});
