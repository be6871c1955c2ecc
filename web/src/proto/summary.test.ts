// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { decodeSummary } from './summary';

describe('proto/summary', () => {
  it('reads last and best, and which way is better', () => {
    const summary = decodeSummary({
      loss: { count: 3, last: 2, best: 1, bestStep: 7, goal: 'min' },
      'val/acc': { count: 1, last: null, best: 0.5, bestStep: 2, goal: 'max' },
    });
    expect(summary?.get('loss')).toEqual({
      count: 3,
      last: 2,
      best: 1,
      bestStep: 7,
      goal: 'min',
    });
    expect(summary?.get('val/acc')).toMatchObject({ last: undefined, goal: 'max' });
  });

  it('has nothing of what is no summary', () => {
    expect(decodeSummary(undefined)).toBeNull();
    expect(decodeSummary({ loss: 3 })?.size).toBe(0);
  });
});
