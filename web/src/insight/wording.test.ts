// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { eventWords, statusWords } from './wording';

const sessionId = 'a';

describe('insight/wording', () => {
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
});
