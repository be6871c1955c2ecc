// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { decodeSession, decodeSessionList, isOver, overallProgress, unwrap } from './session';

const wire = {
  session_id: 'a',
  project: 'p',
  name: 'n',
  status: 'running',
  start_time: 1700000000.25,
  last_update: '2023-11-14T22:13:30Z',
  config: { model_count: 3 },
  phase: 'WARMUP',
  phase_reason: 'few points',
  eta: { eta_seconds: 60, earliest_possible: 30, latest_possible: null, confidence: 'Low' },
  current_model: 2,
  total_models: 3,
  models_completed: 1,
  derived: ['perplexity', 'nonsense', 'loss'],
  latest_metrics: { loss: 1.5, overallProgress: 40 },
};

describe('proto/session', () => {
  it('reads a status', () => {
    expect(decodeSession(wire)).toEqual({
      sessionId: 'a',
      project: 'p',
      config: new Map([['model_count', '3']]),
      phase: 'WARMUP',
      phaseReason: 'few points',
      eta: { seconds: 60, earliest: 30, latest: null, confidence: 'Low', reason: '' },
      stop: null,
      pinned: false,
      epoch: '',
      rewind: null,
      summary: null,
      name: 'n',
      status: 'running',
      startTime: 1700000000.25,
      lastUpdate: 1700000010,
      currentModel: 2,
      totalModels: 3,
      modelsCompleted: 1,
      error: '',
      derived: ['loss', 'perplexity'],
      metrics: { named: { loss: 1.5, overallProgress: 40 }, others: [] },
    });
  });

  it('needs nothing but an id', () => {
    const bare = decodeSession({ session_id: 'a' });
    expect(bare).toMatchObject({ status: 'unknown', name: '', totalModels: 1, metrics: null });
    expect(decodeSession({ name: 'n' })).toBeNull();
    expect(decodeSession('a')).toBeNull();
  });

  it('reads the list and passes over what is no run', () => {
    const data = { sessions: [wire, { name: 'no id' }, 7], total: 9 };
    const list = decodeSessionList({ success: true, data });
    expect(list?.sessions.map((run) => run.sessionId)).toEqual(['a']);
    expect(list?.total).toBe(9);
  });

  it('takes no error for data', () => {
    expect(unwrap({ success: false, error: 'Session not found' })).toBeNull();
    expect(unwrap('<html>')).toBeNull();
    expect(decodeSessionList({ sessions: [] })).toBeNull();
  });

  it('knows which statuses end a run', () => {
    expect(['completed', 'failed', 'stopped'].map(isOver)).toEqual([true, true, true]);
    expect(['starting', 'running', 'paused'].map(isOver)).toEqual([false, false, false]);
  });

  it('has a completed run at 100 whatever it sent last', () => {
    const run = decodeSession(wire);
    expect(run && overallProgress(run)).toBe(40);
    expect(run && overallProgress({ ...run, status: 'completed' })).toBe(100);
  });
});
