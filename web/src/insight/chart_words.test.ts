// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { curveSentence } from './chart_words';

const facts = {
  last: '2',
  trend: 'flat',
  best: ['1', 'step 7'],
  min: '1',
  max: '3',
  diverged: false,
} as const;

describe('insight/chart_words', () => {
  it('says a curve in a sentence', () => {
    expect(curveSentence('loss', facts)).toBe(
      'loss: last 2, steady; best 1 at step 7; from 1 to 3.',
    );
    expect(curveSentence('loss', { ...facts, diverged: true })).toContain('not finite');
    expect(curveSentence('lr', { ...facts, best: null })).toBe('lr: last 2, steady; from 1 to 3.');
    expect(curveSentence('loss', null)).toBe('loss: nothing in view.');
  });
});
