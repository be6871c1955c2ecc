// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { decodeFinding, decodeInsight, decodeVerdict } from './insight';

const finding = {
  kind: 'overfitting',
  severity: 'warning',
  evidence: 'val_loss rises',
  confidence: 'High',
  action: 'stop soon',
  sinceStep: 24,
};
const wire = {
  sessionId: 'a',
  status: 'running',
  phase: 'OVERFITTING_RISK',
  emoji: '🔴',
  reason: 'Validation worsens',
  action: 'stop soon',
  advice: 'The run overfits.',
  velocity: -0.02,
  monitor: 'val_loss',
  best: { value: 0.5, step: 24, epoch: null, evaluationsSince: 3 },
  eta: {
    eta_seconds: 60,
    confidence: 'High',
    confidence_reason: 'steady',
    earliest_possible: 50,
    latest_possible: 70,
  },
  forecast: { at: 100, value: 0.6, lo: 0.5, hi: 0.7 },
  p_gain: 0.25,
  gain_class: 'LOW',
  stop: { recommend: true, why: 'no gain', waited: 9, saving_seconds: 120 },
  findings: [finding],
  phases: [
    { phase: 'OVERFITTING_RISK', step: 24, epoch: null, time_s: 5.5, offset: 7 },
    { phase: 'no phase', offset: 8 },
    { phase: 'PLATEAU', step: 3 },
  ],
};
const answer = (fields: object) => decodeInsight({ success: true, data: { ...wire, ...fields } });

describe('proto/insight', () => {
  it('reads an answer, and passes over marks that are none', () => {
    expect(answer({})).toEqual({
      verdict: {
        phase: 'OVERFITTING_RISK',
        reason: 'Validation worsens',
        advice: 'The run overfits.',
        velocity: -0.02,
        monitor: 'val_loss',
        best: { value: 0.5, step: 24, epoch: null },
        eta: { seconds: 60, earliest: 50, latest: 70, confidence: 'High', reason: 'steady' },
        forecast: { at: 100, value: 0.6, lo: 0.5, hi: 0.7 },
        gain: 0.25,
        gainClass: 'LOW',
        stop: { recommend: true, why: 'no gain', savingSeconds: 120 },
        findings: [finding],
      },
      phases: [{ phase: 'OVERFITTING_RISK', step: 24, epoch: null, at: 5.5, offset: 7 }],
    });
  });

  it('has no verdict where the daemon makes nothing of the run', () => {
    expect(answer({ phase: null, phases: undefined })).toEqual({ verdict: null, phases: [] });
    expect(decodeInsight({ success: false, error: 'Session not found' })).toBeNull();
    expect(decodeInsight({ success: true, data: {} })).toBeNull();
  });

  it('takes nothing half', () => {
    const bare = decodeVerdict({ phase: 'WARMUP' });
    expect(bare).toMatchObject({ best: null, eta: null, forecast: null, gain: null, findings: [] });
    expect(bare?.stop).toEqual({ recommend: false, why: '', savingSeconds: null });
    const forecast = { at: 1, value: 2, lo: 3, hi: 1 };
    expect(answer({ forecast })?.verdict?.forecast).toBeNull();
    expect(answer({ p_gain: 3 })?.verdict?.gain).toBeNull();
    expect(answer({ best: { step: 3 } })?.verdict?.best).toBeNull();
    expect(decodeVerdict({ phase: 'warm up' })).toBeNull();
  });

  it('knows three severities', () => {
    expect(decodeFinding(finding)).toEqual(finding);
    expect(decodeFinding({ ...finding, severity: 'dire' })).toBeNull();
    expect(decodeFinding({ severity: 'info' })).toBeNull();
  });
});
