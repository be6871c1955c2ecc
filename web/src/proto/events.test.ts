// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { decodeEvent, EVENT_NAMES } from './events';

describe('proto/events', () => {
  it('reads a progress_update', () => {
    const payload = { sessionId: 'a', metrics: { loss: 1 }, status: 'running', offset: 7 };
    expect(decodeEvent('progress_update', payload)).toEqual({
      type: 'progress_update',
      sessionId: 'a',
      metrics: { named: { loss: 1 }, others: [] },
      status: 'running',
      offset: 7,
    });
  });

  it('reads one without an offset', () => {
    const event = decodeEvent('progress_update', { sessionId: 'a', metrics: {} });
    expect(event).toMatchObject({ offset: null, status: 'running' });
  });

  it('reads session_status, which spells its id in snake_case', () => {
    const event = decodeEvent('session_status', { session_id: 'a', status: 'running' });
    expect(event).toMatchObject({ type: 'session_status', sessionId: 'a' });
  });

  it('reads the lifecycle', () => {
    const id = { sessionId: 'a' };
    const model = { ...id, modelIndex: 1, currentModel: 2, totalModels: 3 };
    expect(decodeEvent('model_completed', model)).toMatchObject({ modelIndex: 1, totalModels: 3 });
    expect(decodeEvent('training_completed', { ...id, timestamp: 5 })).toMatchObject({ at: 5 });
    expect(decodeEvent('training_error', { ...id, error: 'x' })).toMatchObject({ error: 'x' });
    expect(decodeEvent('training_started', id)).toEqual({ type: 'training_started', ...id });
    expect(decodeEvent('session_cleanup', id)).toEqual({ type: 'session_cleanup', ...id });
  });

  it('reads what is made of the run', () => {
    const id = { sessionId: 'a' };
    const change = { ...id, from: 'WARMUP', to: 'PLATEAU', reason: 'slow', step: 9, timestamp: 5 };
    const rest = { reason: 'slow', step: 9, epoch: null, at: 5 };
    expect(decodeEvent('phase_changed', change)).toEqual({
      type: 'phase_changed',
      ...id,
      to: 'PLATEAU',
      ...rest,
    });
    const alert = { ...id, kind: 'stop', severity: 'warning', why: 'no gain', timestamp: 5 };
    expect(decodeEvent('alert', alert)).toMatchObject({ finding: { kind: 'stop' }, at: 5 });
    expect(decodeEvent('insight', { ...id, phase: 'PLATEAU' })).toMatchObject({
      verdict: { phase: 'PLATEAU' },
    });
    expect(decodeEvent('phase_changed', { ...change, to: 7 })).toBeNull();
    expect(decodeEvent('alert', { ...alert, severity: 'dire' })).toBeNull();
    expect(decodeEvent('insight', { ...id, phase: null })).toBeNull();
  });

  it.each(EVENT_NAMES)('drops a %s that names no session', (name) => {
    for (const payload of [null, 3, [], {}, { sessionId: 4 }]) {
      expect(decodeEvent(name, payload)).toBeNull();
    }
  });

  it('drops one that lacks what its name promises', () => {
    expect(decodeEvent('progress_update', { sessionId: 'a', metrics: 3 })).toBeNull();
    expect(decodeEvent('model_completed', { sessionId: 'a', modelIndex: 'one' })).toBeNull();
  });
});
