// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { curveSentence } from './chart_words';

const facts = { min: '1', max: '3', last: '2', trend: 'flat', diverged: false } as const;

describe('insight/chart_words', () => {
  it('says a curve in a sentence', () => {
    expect(curveSentence('loss', facts)).toBe('loss: last 2, steady; lowest 1, highest 3.');
    expect(curveSentence('loss', { ...facts, diverged: true })).toContain('not finite');
    expect(curveSentence('loss', null)).toBe('loss: nothing in view.');
  });
});
