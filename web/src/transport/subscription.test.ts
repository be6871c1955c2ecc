// SPDX-License-Identifier: MIT
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { decodeEvent, type EventName, type ServerEvent } from '../proto/events';
import { pointOf, type Point } from '../proto/history';
import { FakeDaemon } from './fake_daemon';
import type { Answer } from './http';
import { Subscription } from './subscription';

const run = { session_id: 'a', status: 'running', start_time: 1 };
let daemon: FakeDaemon;
let open: Subscription;
const onChange = vi.fn();
const oldMetrics = { named: { loss: 5 }, others: [] };

function event(name: EventName, data: object = {}): ServerEvent {
  return decodeEvent(name, { sessionId: 'a', session_id: 'a', ...data }) as ServerEvent;
}

function update(offset: number): ServerEvent {
  return event('progress_update', { metrics: { loss: offset, currentStep: offset }, offset });
}

beforeEach(() => {
  daemon = new FakeDaemon();
  daemon.runs = [run];
  daemon.entries.a = [0, 1, 2].map((offset) => ({ offset, loss: offset, currentStep: offset }));
  onChange.mockReset();
  open = new Subscription('a', daemon, () => 100, onChange);
});

describe('transport/subscription', () => {
  it('learns the run and its line', async () => {
    expect(await open.refresh()).toBe(true);
    expect(open.state.session?.status).toBe('running');
    expect(open.series.length).toBe(3);
    expect(onChange).toHaveBeenCalled();
  });

  it('says that the daemon does not know the run, which is an answer too', async () => {
    daemon.runs = [];
    expect(await open.refresh()).toBe(true);
    expect(open.state.known).toBe('no');
  });

  it('says that nobody answered', async () => {
    daemon.reachable = false;
    expect(await open.refresh()).toBe(false);
    expect(open.state.known).toBe('asking');
  });

  it('asks only for what it has not got', async () => {
    await open.refresh();
    await open.refresh();
    expect(daemon.asked.filter((what) => what.startsWith('history'))).toEqual([
      'history a -1 857',
      'history a 2 857',
    ]);
  });

  it('puts history in the place of what came live, and asks nothing when nothing did', async () => {
    await open.refresh();
    daemon.asked.length = 0;
    await open.fill();
    expect(daemon.asked).toEqual(['status a']);
    open.onEvent(update(6));
    daemon.entries.a = [3, 4, 5, 6].map((offset) => ({ offset, loss: 0.5, currentStep: offset }));
    daemon.asked.length = 0;
    await open.fill();
    expect(daemon.asked).toEqual(['status a', 'history a 2 857']);
    expect(Array.from(open.series.xs('step'))).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(open.series.ys('loss').at(-1)).toBe(0.5);
  });

  it('forgets at a rewind what is superseded, and asks for the whole line', async () => {
    await open.refresh();
    const rewind = { offset: 3, step: 1, model: 1 };
    daemon.runs = [{ ...run, rewind }];
    daemon.entries.a = [{ offset: 0, loss: 0, currentStep: 0 }];
    daemon.asked.length = 0;
    open.onEvent(event('session_status', { status: 'running', start_time: 1, rewind }));
    expect(Array.from(open.series.xs('step'))).toEqual([0]);
    open.onEvent(event('progress_update', { metrics: { loss: 9, currentStep: 1 }, offset: 3 }));
    await daemon.settle();
    expect(daemon.asked).toContain('history a -1 857');
    expect(Array.from(open.series.ys('loss'))).toEqual([0, 9]);
    daemon.asked.length = 0;
    open.onEvent(event('session_status', { status: 'running', start_time: 1, rewind }));
    await daemon.settle();
    expect(daemon.asked).toEqual([]);
  });

  it('hears of a rewind by asking, too, while there is no socket', async () => {
    await open.refresh();
    daemon.runs = [{ ...run, rewind: { offset: 3, step: 0, model: 1 } }];
    daemon.entries.a = [{ offset: 3, loss: 7, currentStep: 0 }];
    await open.refresh();
    await daemon.settle();
    expect(Array.from(open.series.ys('loss'))).toEqual([7]);
  });

  it('asks what is derived when the first record comes, and only then', async () => {
    daemon.runs = [{ ...run, derived: ['perplexity', 'loss'] }];
    await open.refresh();
    daemon.runs = [{ ...run, derived: ['perplexity'] }];
    daemon.asked.length = 0;
    open.onEvent(update(1));
    open.onEvent(update(2));
    await daemon.settle();
    expect(daemon.asked).toEqual(['status a']);
    expect(open.state.session?.derived).toEqual(['perplexity']);
  });

  it('leaves an update without an offset to the next fill', () => {
    open.onEvent(event('progress_update', { metrics: { loss: 1 } }));
    expect(open.series.length).toBe(0);
  });

  it('asks again when the run ended while it was asking', async () => {
    const asking = open.refresh();
    open.onEvent(event('training_completed'));
    daemon.runs = [{ ...run, status: 'completed' }];
    await asking;
    expect(open.state.session?.status).toBe('completed');
    expect(daemon.asked.filter((what) => what === 'status a')).toHaveLength(2);
  });

  it('draws a new line when the id means another run', async () => {
    await open.refresh();
    daemon.entries.a = [{ offset: 3, loss: 9 }];
    open.onEvent(event('session_status', { status: 'running', start_time: 2 }));
    await daemon.settle();
    expect(Array.from(open.series.ys('loss'))).toEqual([9]);
  });

  it('draws a new line in a new epoch, of which offsets say something else', async () => {
    await open.refresh();
    daemon.entries.a = [{ offset: 0, loss: 8 }];
    open.onEvent(event('session_status', { status: 'running', start_time: 1, epoch: 'e2' }));
    await daemon.settle();
    expect(Array.from(open.series.ys('loss'))).toEqual([8]);
  });

  it('asks for everything again when a new metric comes, with its name', async () => {
    await open.refresh();
    daemon.runs = [{ ...run, summary: { loss: {}, lr: {} } }];
    daemon.asked.length = 0;
    await open.fill();
    expect(daemon.asked).toEqual(['status a', 'history a -1 1500']);
    await open.fill();
    expect(daemon.asked).toHaveLength(3);
  });

  it('asks for the raw points of what is in view', async () => {
    daemon.entries.a = [0, 5, 9].map((offset) => ({ offset, loss: 1, currentStep: offset * 10 }));
    await open.refresh();
    const at = (offset: number) => ({ offset, loss: 1, currentStep: offset * 10 });
    daemon.entries.a = [4, 5, 6, 7, 8, 9, 10].map(at);
    daemon.asked.length = 0;
    await open.zoom({ axis: 'step', from: 45, to: 95 });
    expect(daemon.asked).toEqual(['history a -1 857 0..90']);
    expect(Array.from(open.series.xs('step'))).toEqual([0, 40, 50, 60, 70, 80, 90]);
    await open.zoom(null);
    expect(daemon.asked).toHaveLength(1);
  });

  it('takes no history that was asked for another run', async () => {
    let deliver: (answer: Answer<readonly Point[]>) => void = () => undefined;
    const late = new Promise<Answer<readonly Point[]>>((resolve) => (deliver = resolve));
    vi.spyOn(daemon, 'history').mockReturnValueOnce(late);
    const asking = open.refresh();
    await daemon.settle();
    daemon.entries.a = [{ offset: 3, loss: 9 }];
    open.onEvent(event('session_status', { status: 'running', start_time: 2 }));
    await daemon.settle();
    deliver({ kind: 'ok', value: [0, 1, 2].map((offset) => pointOf(offset, null, oldMetrics)) });
    await asking;
    expect(Array.from(open.series.ys('loss'))).toEqual([9]);
  });

  it('leaves out what history has of an earlier run under the same id', async () => {
    daemon.runs = [{ ...run, start_time: 50.001 }];
    daemon.entries.a = [49, 50.0006, 51].map((serverTime, offset) => ({
      offset,
      serverTime,
      loss: 1,
    }));
    await open.refresh();
    expect(open.series.length).toBe(2);
  });

  it('does not grow with the run', async () => {
    await open.refresh();
    for (let offset = 3; offset < 17_000; offset++) open.onEvent(update(offset));
    expect(open.series.xs('step').length).toBeLessThanOrEqual(857);
    daemon.asked.length = 0;
    daemon.entries.a = [{ offset: 16_999, loss: 1, currentStep: 16_999 }];
    await open.fill();
    expect(daemon.asked).toEqual(['status a', 'history a -1 857']);
  });
});
