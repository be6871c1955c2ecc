// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { smoothed, spacing } from './smooth';

const f = (...values: number[]) => Float64Array.from(values);

describe('session/smooth', () => {
  it('is the plain moving average where points are one unit apart', () => {
    const [a, b, c] = smoothed(f(0, 1, 2), f(1, 2, 4), 0.5, 1);
    expect(a).toBe(1);
    expect(b).toBeCloseTo((1 * 0.25 + 2 * 0.5) / 0.75);
    expect(c).toBeCloseTo((1 * 0.125 + 2 * 0.25 + 4 * 0.5) / 0.875);
  });

  it('forgets by distance, not by count', () => {
    const near = smoothed(f(0, 1), f(0, 1), 0.9, 1)[1] as number;
    const far = smoothed(f(0, 50), f(0, 1), 0.9, 1)[1] as number;
    expect(near).toBeLessThan(0.6);
    expect(far).toBeGreaterThan(0.9);
  });

  it('passes over holes and keeps what is not finite', () => {
    expect(Array.from(smoothed(f(0, 1, 2, 3), f(1, NaN, Infinity, 1), 0.9, 1))).toEqual([
      1,
      NaN,
      Infinity,
      1,
    ]);
  });

  it('leaves the values alone without a weight or a unit', () => {
    const y = f(1, 2);
    expect(smoothed(f(0, 1), y, 0, 1)).toBe(y);
    expect(smoothed(f(0, 1), y, 0.5, 0)).toBe(y);
  });

  it('knows how far records are apart, however few are here', () => {
    expect(spacing(f(0, 50, 100), 101)).toBe(1);
    expect(spacing(f(), 0)).toBe(0);
  });
});
