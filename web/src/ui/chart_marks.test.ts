// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { lastOf, spread } from './chart_marks';

describe('ui/chart_marks', () => {
  it('stands where a line ends', () => {
    expect(lastOf([1, 2, undefined, null])).toBe(2);
    expect(lastOf([undefined])).toBeUndefined();
  });

  it('moves numbers apart that would lie on each other, and leaves the others', () => {
    expect(spread([100, 20, 22])).toEqual([100, 20, 31]);
    expect(spread([5, 5, 5])).toEqual([5, 16, 27]);
    expect(spread([])).toEqual([]);
  });
});
