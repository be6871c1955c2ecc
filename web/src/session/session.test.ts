// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { decodeEvent, type EventName, type ServerEvent } from '../proto/events';
import { createSession, isAnotherRun, onEvent, onMissing, type SessionState } from './session';

function event(name: EventName, data: object = {}): ServerEvent {
  return decodeEvent(name, { sessionId: 'a', session_id: 'a', ...data }) as ServerEvent;
}

function after(...events: ServerEvent[]): SessionState {
  return events.reduce((state, next, i) => onEvent(state, next, 100 + i), createSession('a'));
}

const status = (data: object = {}) =>
  event('session_status', { status: 'running', start_time: 1, total_models: 3, ...data });
const keys = (state: SessionState) => state.notices.map((notice) => notice.key);

describe('session/session', () => {
  it('is asked for until the daemon says something', () => {
    expect(createSession('a').known).toBe('asking');
    expect(after(status()).known).toBe('yes');
    expect(onMissing(createSession('a')).known).toBe('no');
  });

  it('shows the newest numbers', () => {
    const state = after(status(), event('progress_update', { metrics: { loss: 1 } }));
    expect(state.session?.metrics?.named.loss).toBe(1);
  });

  it('tells of each completed model once, newest first', () => {
    const first = event('model_completed', { modelIndex: 0, totalModels: 3 });
    const second = event('model_completed', { modelIndex: 1, totalModels: 3 });
    const state = after(status(), first, first, second, status({ models_completed: 2 }));
    expect(keys(state)).toEqual(['model 1', 'model 0']);
    expect(state.notices[0]?.at).toBe(103);
  });

  it('tells what ended while it could not hear', () => {
    const state = after(status(), status({ models_completed: 3, status: 'completed' }));
    expect(keys(state)).toEqual(['training_completed', 'model 2', 'model 1', 'model 0']);
    expect(keys(after(status(), status({ status: 'failed' })))).toEqual(['training_error']);
  });

  it('tells nothing of what had ended before', () => {
    expect(after(status({ models_completed: 3, status: 'completed' })).notices).toEqual([]);
  });

  it('keeps the reason of a failure when the status follows', () => {
    const error = event('training_error', { error: 'out of memory' });
    const state = after(status(), error, status({ status: 'failed' }));
    expect(state.notices.map((notice) => notice.event)).toEqual([error]);
  });

  it('starts over when the id means another run', () => {
    const old = after(status(), event('training_completed'));
    const another = event('session_status', { status: 'running', start_time: 2 });
    expect(another.type === 'session_status' && isAnotherRun(old, another.session)).toBe(true);
    const state = onEvent(old, another, 200);
    expect(state.notices).toEqual([]);
    expect(state.session?.status).toBe('running');
  });

  it('keeps what it knew of a run that the daemon forgot', () => {
    const state = onMissing(after(status({ name: 'n' })));
    expect([state.known, state.session?.name]).toEqual(['no', 'n']);
    const away = after(status(), event('session_cleanup'));
    expect([away.known, keys(away)]).toEqual(['no', ['session_cleanup']]);
  });

  it('keeps a bounded number of notices', () => {
    const many = Array.from({ length: 80 }, (_, modelIndex) =>
      event('model_completed', { modelIndex, totalModels: 80 }),
    );
    expect(after(status(), ...many).notices).toHaveLength(50);
  });
});
