// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { decodeEvent, type EventName, type ServerEvent } from '../proto/events';
import { decodeSession, type SessionStatus } from '../proto/session';
import { eventWords, statusWords, placeWords, droppedWords, throttleWords } from './wording';

const sessionId = 'a';

describe('insight/wording', () => {
  it('says what became of an order', () => {
    const said = (order: object) =>
      eventWords(
        decodeEvent('control', { sessionId, id: 1, command: 'pause', ...order }) as ServerEvent,
      );
    expect(said({ state: 'told', reason: 'tea' })?.text).toBe('Pause: told (tea)');
    expect(said({ state: 'unanswered', reason: 'tea' })).toEqual({
      text: 'Pause: no answer',
      tone: 'bad',
    });
    const set = { command: 'set', knob: 'lr', value: 0.5, state: 'refused', answer: 'too high' };
    expect(said(set)).toEqual({ text: 'Set lr = 0.5: refused (too high)', tone: 'bad' });
  });

  it('has a word for each status, and shows a strange one as it is', () => {
    expect(statusWords('running')).toEqual({ text: 'Running', tone: 'good' });
    expect(statusWords('failed').tone).toBe('bad');
    expect(statusWords('hibernating')).toEqual({ text: 'hibernating', tone: 'plain' });
  });

  it('counts models from one', () => {
    const words = eventWords({ type: 'model_completed', sessionId, modelIndex: 0, totalModels: 3 });
    expect(words?.text).toBe('Model 1 of 3 completed');
  });

  it('gives the reason of a failure when there is one', () => {
    const failed = (error: string) => eventWords({ type: 'training_error', sessionId, error });
    expect(failed('out of memory')?.text).toBe('Training failed: out of memory');
    expect(failed('')?.text).toBe('Training failed');
  });

  it('tells of the end and is silent on the rest', () => {
    expect(eventWords({ type: 'training_completed', sessionId, at: 1 })?.tone).toBe('good');
    expect(eventWords({ type: 'session_cleanup', sessionId })?.text).toMatch(/put this run away/);
    expect(eventWords({ type: 'training_started', sessionId })).toBeNull();
  });

  const run = (fields: object) => decodeSession({ session_id: 'a', ...fields }) as SessionStatus;

  it('says where a run stands', () => {
    const latest_metrics = { currentStep: 1200, totalSteps: 5000 };
    const fields = { status: 'running', total_models: 3, current_model: 2, latest_metrics };
    expect(placeWords(run(fields))).toBe('Running model 2 of 3, step 1 200 of 5 000');
    expect(placeWords(run({ ...fields, status: 'completed' }))).toBe('Completed');
  });

  it('says how much is told live, when that is not everything', () => {
    expect(throttleWords({ recorded: 1234, told: 9.8 })).toBe('1 234 points/s, 10 told live');
    expect(throttleWords({ recorded: 10, told: 10 })).toBeNull();
    expect(throttleWords(null)).toBeNull();
  });

  it('names what was dropped, and only that', () => {
    const none = { maxRate: 10, linesRefused: 0, valuesIgnored: 0, recordsNotKept: 0 };
    expect(droppedWords(none)).toBeNull();
    expect(droppedWords(null)).toBeNull();
    expect(droppedWords({ ...none, recordsNotKept: 2000, valuesIgnored: 1 })).toBe(
      '2 000 points not kept, 1 values ignored',
    );
  });

  it('tells of phases and findings in the words of the daemon', () => {
    const words = (name: EventName, data: object) =>
      eventWords(decodeEvent(name, { sessionId, ...data }) as ServerEvent);
    expect(words('phase_changed', { to: 'PLATEAU', reason: 'slow' })?.text).toBe(
      '🟠 Plateau: slow',
    );
    const finding = { kind: 'oom_risk', severity: 'critical', evidence: '23 GB' };
    expect(words('alert', finding)).toEqual({ text: 'Oom risk: 23 GB', tone: 'bad' });
    const stop = { kind: 'stop', severity: 'warning', evidence: '9 evaluations' };
    expect(words('alert', stop)?.text).toBe('Stopping is advised: 9 evaluations');
  });
});
