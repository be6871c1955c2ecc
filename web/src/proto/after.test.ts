// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { statusAfter } from './after';
import { decodeEvent, type EventName, type ServerEvent } from './events';
import { decodeSession, type SessionStatus } from './session';

const run = decodeSession({
  session_id: 'a',
  status: 'running',
  total_models: 3,
  models_completed: 0,
  last_update: 10,
}) as SessionStatus;

function event(name: EventName, data: object = {}): ServerEvent {
  return decodeEvent(name, { sessionId: 'a', ...data }) as ServerEvent;
}

describe('proto/after', () => {
  it('moves on with an update', () => {
    const metrics = { loss: 1, currentModel: 2, totalModels: 4, timestamp: 11 };
    expect(statusAfter(run, event('progress_update', { metrics }))).toMatchObject({
      currentModel: 2,
      totalModels: 4,
      lastUpdate: 11,
      metrics: { named: { loss: 1 } },
    });
  });

  it('knows of the newest stop, and of no other order', () => {
    const order = { id: 3, command: 'stop', state: 'told', sessionId: 'a' };
    const told = decodeEvent('control', order) as ServerEvent;
    const pause = decodeEvent('control', { ...order, id: 4, command: 'pause' }) as ServerEvent;
    const run = decodeSession({ session_id: 'a' }) as SessionStatus;
    expect(statusAfter(statusAfter(run, told), pause).stop?.id).toBe(3);
  });

  it('does not revive a finished run with its newest update', () => {
    const over = statusAfter(run, event('training_completed'));
    const late = event('progress_update', { metrics: { loss: 1 }, status: 'running' });
    expect(statusAfter(over, late).status).toBe('completed');
  });

  it('revives it when it starts again', () => {
    const over = statusAfter(run, event('training_error', { error: 'x' }));
    expect(over).toMatchObject({ status: 'failed', error: 'x' });
    expect(statusAfter(over, event('training_started')).status).toBe('running');
  });

  it('counts completed models and never back', () => {
    const two = statusAfter(run, event('model_completed', { modelIndex: 1 }));
    expect(two.modelsCompleted).toBe(2);
    const again = statusAfter(two, event('model_completed', { modelIndex: 0 }));
    expect(again.modelsCompleted).toBe(2);
    expect(statusAfter(two, event('training_completed')).modelsCompleted).toBe(3);
  });

  it('keeps the newest numbers when a status comes without any', () => {
    const metrics = { loss: 1 };
    const live = statusAfter(run, event('progress_update', { metrics }));
    const status = event('session_status', { session_id: 'a', status: 'paused' });
    expect(statusAfter(live, status)).toMatchObject({
      status: 'paused',
      metrics: { named: { loss: 1 } },
    });
  });

  it('changes nothing when the run is put away', () => {
    expect(statusAfter(run, event('session_cleanup'))).toEqual(run);
  });
});
