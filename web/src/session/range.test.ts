// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { robustRange } from './range';

const ramp = Array.from({ length: 200 }, (_, i) => i / 100);

describe('session/range', () => {
  it('shows everything when nothing sticks out', () => {
    const range = robustRange(Float64Array.from(ramp), false);
    expect(range?.outside).toBe(0);
    expect(range?.min).toBeLessThan(0);
    expect(range?.max).toBeGreaterThan(1.99);
  });

  it('is not pressed flat by a spike, and counts it', () => {
    const range = robustRange(Float64Array.from([...ramp, 1e6]), false);
    expect(range?.outside).toBe(1);
    expect(range?.max).toBeLessThan(6);
  });

  it('has room around a constant', () => {
    const range = robustRange(Float64Array.from([3, 3, 3]), false);
    expect(range?.min).toBeLessThan(3);
    expect(range?.max).toBeGreaterThan(3);
    expect(robustRange(Float64Array.from([0]), false)).toMatchObject({ min: -0.5, max: 0.5 });
  });

  it('stays above zero on a log axis', () => {
    const range = robustRange(Float64Array.from([1e-5, 1e-3, 10]), true);
    expect(range?.min).toBeGreaterThan(0);
    expect(range?.max).toBeGreaterThan(10);
  });

  it('has none without values', () => {
    expect(robustRange(new Float64Array(0), false)).toBeNull();
  });
});
