// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { decodeEvent, type EventName, type ServerEvent } from '../proto/events';
import { decodeSessionList, type SessionList } from '../proto/session';
import { chosenRun, noRuns, onList, onRunEvent } from './runs';

const sessions = [
  { session_id: 'new', status: 'running', total_models: 2 },
  { session_id: 'old', status: 'completed' },
];
const list = decodeSessionList({ success: true, data: { sessions, total: 7 } }) as SessionList;

function event(name: EventName, data: object): ServerEvent {
  return decodeEvent(name, data) as ServerEvent;
}

describe('room/runs', () => {
  it('is empty and not loaded before the first answer', () => {
    expect(noRuns).toEqual({ loaded: false, runs: [], total: 0 });
    expect(onList(list)).toMatchObject({ loaded: true, total: 7 });
  });

  it('moves the run on that an event is about, and no other', () => {
    const before = onList(list);
    const state = onRunEvent(before, event('training_completed', { sessionId: 'new' }));
    expect(state.runs.map((run) => run.status)).toEqual(['completed', 'completed']);
    expect(state.runs[1]).toBe(before.runs[1]);
  });

  it('drops a run that is put away', () => {
    const state = onRunEvent(onList(list), event('session_cleanup', { sessionId: 'old' }));
    expect(state.runs.map((run) => run.sessionId)).toEqual(['new']);
    expect(state.total).toBe(6);
  });

  it('is not changed by a run it does not list', () => {
    const state = onList(list);
    expect(onRunEvent(state, event('session_cleanup', { sessionId: 'x' }))).toEqual(state);
    expect(onRunEvent(state, event('training_completed', { sessionId: 'x' }))).toEqual(state);
  });

  it('shows the run that the address asks for, else the newest', () => {
    expect(chosenRun('old', onList(list))).toBe('old');
    expect(chosenRun(null, onList(list))).toBe('new');
    expect(chosenRun(null, noRuns)).toBeNull();
  });
});
