// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { decodeEvent, type EventName, type ServerEvent } from '../proto/events';
import { decodeInsight, type InsightAnswer } from '../proto/insight';
import { MOST_PHASES, onInsight, onStoryEvent, untold } from './story';

const plateau = { kind: 'plateau', severity: 'info', evidence: 'flat', sinceStep: 5 };
const mark = { phase: 'WARMUP', step: 1, epoch: null, time_s: 1, offset: 0 };
const data = { sessionId: 'a', phase: 'WARMUP', findings: [plateau], phases: [mark] };
const answer = (fields: object = {}) =>
  decodeInsight({ success: true, data: { ...data, ...fields } }) as InsightAnswer;
const event = (name: EventName, fields: object) =>
  decodeEvent(name, { sessionId: 'a', ...fields }) as ServerEvent;
const known = onInsight(untold, answer());

describe('insight/story', () => {
  it('keeps the very phases while they are the same', () => {
    expect(onInsight(known, answer({ reason: 'new' })).phases).toBe(known.phases);
    const more = [mark, { ...mark, phase: 'PLATEAU', offset: 9 }];
    expect(onInsight(known, answer({ phases: more })).phases).toHaveLength(2);
  });

  it('moves to a new phase at the newest record that is known', () => {
    const change = event('phase_changed', { to: 'PLATEAU', reason: 'slow', step: 90 });
    const next = onStoryEvent(known, change, 41);
    expect(next.verdict).toMatchObject({ phase: 'PLATEAU', reason: 'slow' });
    expect(next.phases.at(-1)).toMatchObject({ phase: 'PLATEAU', offset: 41, step: 90 });
    expect(onStoryEvent(untold, change, -1)).toMatchObject({ verdict: null });
  });

  it('adds an alert once, and takes one of a kind for the newer', () => {
    const alert = event('alert', { ...plateau, sinceStep: 8 });
    expect(onStoryEvent(known, alert, 0).verdict?.findings).toMatchObject([{ sinceStep: 8 }]);
    const other = event('alert', { ...plateau, kind: 'divergence' });
    expect(onStoryEvent(known, other, 0).verdict?.findings).toHaveLength(2);
  });

  it('takes the advice to stop for advice and not for a finding', () => {
    const stop = event('alert', { kind: 'stop', severity: 'warning', why: 'no gain' });
    const { verdict } = onStoryEvent(known, stop, 0);
    expect(verdict?.stop).toMatchObject({ recommend: true, why: 'no gain' });
    expect(verdict?.findings).toHaveLength(1);
  });

  it('lets go of a finding that the newest verdict has not', () => {
    const verdict = event('insight', { phase: 'LEARNING_FAST', findings: [] });
    expect(onStoryEvent(known, verdict, 0).verdict?.findings).toEqual([]);
  });

  it('keeps no more phases than a chart can show', () => {
    const phases = Array.from({ length: 400 }, (_, offset) => ({ ...mark, offset }));
    const full = onInsight(untold, answer({ phases }));
    expect(full.phases).toHaveLength(MOST_PHASES);
    const next = onStoryEvent(full, event('phase_changed', { to: 'PLATEAU' }), 500);
    expect(next.phases).toHaveLength(MOST_PHASES);
    expect(next.phases.at(-1)?.offset).toBe(500);
  });
});
