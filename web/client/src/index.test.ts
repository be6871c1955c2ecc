// SPDX-License-Identifier: MIT
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeDaemon } from '../../src/transport/fake_daemon';
import { connect, type Daemon } from './index';

let fake: FakeDaemon;
let daemon: Daemon;

beforeEach(() => {
  fake = new FakeDaemon();
  fake.runs = [{ session_id: 'a', status: 'running', start_time: 1 }];
  daemon = connect('ws://localhost:5001', fake.wires);
});

const update = { sessionId: 'a', offset: 1, status: 'running', metrics: { loss: 2, acc: 0.5 } };

describe('client', () => {
  it('hears the progress of a run until it hears no more', () => {
    const heard = vi.fn();
    const stop = daemon.session('a').on('progress', heard);
    fake.say('progress_update', update);
    fake.say('progress_update', { ...update, sessionId: 'b' });
    stop();
    fake.say('progress_update', { ...update, offset: 2 });
    expect(heard).toHaveBeenCalledTimes(1);
    expect(heard.mock.calls[0]?.[0]).toMatchObject({ offset: 1, metrics: { named: { loss: 2 } } });
  });

  it('hears the end under its own name, and any change', async () => {
    const run = daemon.session('a');
    const ended = vi.fn();
    const changed = vi.fn();
    run.on('training_completed', ended);
    run.on('change', changed);
    daemon.on('change', changed);
    await fake.settle();
    fake.say('training_completed', { sessionId: 'a' });
    expect(ended).toHaveBeenCalledTimes(1);
    expect(changed).toHaveBeenCalledWith(run.state);
    expect(run.state.session?.status).toBe('completed');
    expect(daemon.runs[0]?.status).toBe('completed');
  });

  it('is one session an id, until it is left', () => {
    const run = daemon.session('a');
    expect(daemon.session('a')).toBe(run);
    run.leave();
    expect(fake.rooms.has('a')).toBe(false);
    expect(daemon.session('a')).not.toBe(run);
  });

  it('gives history, and does not take silence for an empty one', async () => {
    fake.entries.a = [{ offset: 1, loss: 2 }];
    const points = await daemon.session('a').history({ points: 10 });
    expect(points.map(({ offset }) => offset)).toEqual([1]);
    fake.reachable = false;
    await expect(daemon.history('a')).rejects.toThrow('the history of a');
  });

  it('hands over a command, and says why when nobody was told', async () => {
    expect(await daemon.session('a').control('stop', 'enough')).toBeNull();
    expect(fake.asked).toContain('control a stop enough');
    fake.refusal = 'The run is over';
    expect(await daemon.control('a', 'pause')).toBe('The run is over');
  });
});
