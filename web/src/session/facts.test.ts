// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { factsOf } from './facts';

function facts(y: number[], from = 0, to = y.length) {
  return factsOf(Float64Array.from(y.keys()), Float64Array.from(y), from, to);
}

describe('session/facts', () => {
  it('says lowest, highest, last and where it goes', () => {
    expect(facts([5, 4, 3, 2, 1])).toMatchObject({ min: 1, max: 5, last: 1, trend: 'falling' });
    expect(facts([1, 2, 3, 4, 5])?.trend).toBe('rising');
    expect(facts([9, 1, 1, 1, 1, 1, 1, 1, 1, 1])?.trend).toBe('flat');
    expect(facts([3, 1, 1, 3])).toMatchObject({ minAt: 1, maxAt: 0 });
    expect(facts([2])).toMatchObject({ last: 2, trend: 'flat' });
  });

  it('speaks of what is in view alone', () => {
    expect(facts([9, 1, 2, 9], 1, 3)).toMatchObject({ min: 1, max: 2, last: 2 });
  });

  it('passes over holes and tells of what is not finite', () => {
    expect(facts([1, NaN, Infinity, 2])).toMatchObject({ max: 2, last: 2, diverged: true });
    expect(facts([NaN])).toBeNull();
    expect(facts([5, NaN, NaN, NaN, NaN, 5, NaN, NaN, NaN, 1])?.trend).toBe('flat');
  });
});
