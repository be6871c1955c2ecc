// SPDX-License-Identifier: MIT
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { decodeEvent, type EventName, type ServerEvent } from '../proto/events';
import { FakeDaemon } from './fake_daemon';
import { Telling } from './telling';

let daemon: FakeDaemon;
let telling: Telling;
const onChange = vi.fn();
const mark = (phase: string, offset: number) => ({ phase, offset });

function event(name: EventName, data: object): ServerEvent {
  return decodeEvent(name, { sessionId: 'a', ...data }) as ServerEvent;
}

beforeEach(() => {
  daemon = new FakeDaemon();
  daemon.insights.a = { phase: 'WARMUP', phases: [mark('WARMUP', 0)] };
  onChange.mockReset();
  telling = new Telling('a', daemon, onChange);
});

describe('transport/telling', () => {
  it('learns what is made of the run, and at a change where exactly it is', async () => {
    await telling.ask();
    expect(telling.story.verdict?.phase).toBe('WARMUP');
    expect(onChange).toHaveBeenCalledOnce();
    daemon.insights.a = { phase: 'PLATEAU', phases: [mark('WARMUP', 0), mark('PLATEAU', 1)] };
    telling.onEvent(event('phase_changed', { to: 'PLATEAU' }), 2);
    expect(telling.story.verdict?.phase).toBe('PLATEAU');
    expect(telling.story.phases.at(-1)?.offset).toBe(2);
    await daemon.settle();
    expect(telling.story.phases.at(-1)?.offset).toBe(1);
    expect(daemon.asked).toEqual(['insight a', 'insight a']);
  });

  it('takes no answer that was asked for before a change', async () => {
    const asked = telling.ask();
    daemon.insights.a = { phase: 'DIVERGING' };
    telling.onEvent(event('alert', { kind: 'divergence', severity: 'critical' }), 0);
    await asked;
    expect(daemon.asked).toEqual(['insight a', 'insight a']);
    expect(telling.story.verdict?.phase).toBe('DIVERGING');
  });

  it('keeps what it knows while nobody answers, and forgets it with the run', async () => {
    await telling.ask();
    daemon.reachable = false;
    await telling.ask();
    expect(telling.story.verdict?.phase).toBe('WARMUP');
    telling.startOver();
    expect(telling.story.verdict).toBeNull();
  });
});
