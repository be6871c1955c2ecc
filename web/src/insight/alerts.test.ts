// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { decodeVerdict, type Verdict } from '../proto/insight';
import { decodeSession, type SessionStatus } from '../proto/session';
import { alertsOf, announcement } from './alerts';

const fine = { status: 'running', last_update: 100, latest_metrics: { loss: 1 } };
const run = (fields: object) => decodeSession({ session_id: 'a', ...fields }) as SessionStatus;
const verdict = (fields: object) => decodeVerdict({ phase: 'PLATEAU', ...fields }) as Verdict;
const finding = (kind: string, sinceStep: number) => ({ kind, severity: 'warning', sinceStep });
const titles = (fields: object, of: Verdict | null, now = 101) =>
  alertsOf(run(fields), of, now).map(({ title }) => title);

describe('insight/alerts', () => {
  it('tells what is plainly wrong, and nothing when nothing is', () => {
    expect(titles(fine, null)).toEqual([]);
    expect(alertsOf(run(fine), null, 400)[0]?.evidence).toContain('5 min ago');
    const broken = { ...fine, latest_metrics: { loss: null, nonFinite: { loss: 'NaN' } } };
    expect(titles(broken, null)).toEqual(['The last loss is no finite number']);
    expect(titles({ status: 'failed', error: 'out of memory' }, null)).toEqual(['out of memory']);
  });

  it('says once what the daemon found too', () => {
    const broken = { ...fine, latest_metrics: { loss: null, nonFinite: { loss: 'NaN' } } };
    const found = verdict({ findings: [finding('divergence', 3), finding('stall', 9)] });
    expect(titles(broken, found, 400)).toEqual(['Stall', 'Divergence']);
  });

  it('has the advice to stop before the findings, while the run goes on', () => {
    const stop = { recommend: true, why: 'no gain', saving_seconds: 9600 };
    const best = { value: 0.25, step: 3000, epoch: null };
    const of = verdict({ stop, best, monitor: 'val_loss', findings: [finding('plateau', 1)] });
    expect(titles(fine, of)).toEqual(['Stopping is advised', 'Plateau']);
    expect(alertsOf(run(fine), of, 101)[0]?.action).toBe(
      'stop, saves 2h 40m, and use the checkpoint of step 3 000 (val_loss 0.2500)',
    );
    expect(titles({ ...fine, status: 'completed' }, of)).toEqual(['Plateau']);
  });

  it('knows an alert again, and a later one of the kind as another', () => {
    const key = (step: number) =>
      alertsOf(run(fine), verdict({ findings: [finding('plateau', step)] }), 101)[0]?.key;
    expect(key(5)).toBe(key(5));
    expect(key(5)).not.toBe(key(6));
  });

  it('is bounded', () => {
    const findings = Array.from({ length: 99 }, (_, i) => finding(`k${i}`, i));
    expect(alertsOf(run(fine), verdict({ findings }), 101)).toHaveLength(12);
  });

  it('announces what changed and not that time passes, nor a number', () => {
    const said = (now: number) => announcement(run({ ...fine, last_update: 0 }), null, now);
    expect(said(1)).toBe('Running');
    expect(said(61)).toBe('Running. Nothing heard from the trainer');
    expect(said(500)).toBe(said(61));
    const of = verdict({ findings: [{ ...finding('plateau', 7), evidence: '5.1' }] });
    expect(announcement(run({ ...fine, phase: 'PLATEAU', phase_reason: '5.1' }), of, 101)).toBe(
      'Running. Plateau. Plateau',
    );
  });
});
