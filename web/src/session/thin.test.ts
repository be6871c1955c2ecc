// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { bucketSize, chosen, pointsFor } from './thin';

function kept(size: number, ...columns: number[][]): number[] {
  const length = columns[0]?.length ?? 0;
  const x = Float64Array.from({ length }, (_, i) => i);
  const all = columns.map((column) => Float64Array.from(column));
  return Array.from(chosen(x, all, 0, length, size)).flatMap((keep, i) => (keep ? [i] : []));
}

/** Values without an order, the same each time. */
function noise(length: number): number[] {
  let seed = 7;
  return Array.from({ length }, () => (seed = (seed * 1103515245 + 12345) % 2147483648));
}

describe('session/thin', () => {
  it('has the width of the daemon: the smallest power of two with enough for the range', () => {
    expect(bucketSize(0, 999, 4000)).toBe(1);
    expect(bucketSize(0, 1000, 4000)).toBe(2);
    expect(bucketSize(0, 999_999, 2000)).toBe(2048);
    expect(bucketSize(7, 8, 4)).toBe(16);
    expect(bucketSize(5, 5, 0)).toBe(1);
    expect(pointsFor(10, 50, 16)).toBe(16);
    expect(bucketSize(10, 50, pointsFor(10, 50, 16))).toBeLessThanOrEqual(16);
  });

  it('keeps of each bucket the first, the lowest, the highest and the last', () => {
    expect(kept(8, [5, 6, 1, 6, 9, 9, 3, 4, 2])).toEqual([0, 2, 4, 7, 8]);
    expect(kept(8, [1, 2, 3])).toEqual([0, 2]);
  });

  it('never loses what is not finite, and gives up the first for it', () => {
    expect(kept(8, [5, 1, Infinity, 9, Infinity, 4])).toEqual([1, 2, 3, 5]);
    expect(kept(8, [Infinity, Infinity])).toEqual([0, 1]);
  });

  it('chooses for each metric, and passes over where it was not sent', () => {
    expect(kept(4, [1, NaN, NaN, 2], [NaN, 7, 5, NaN])).toEqual([0, 1, 2, 3]);
    expect(kept(4, [NaN, 1, 2, 1.5, NaN])).toEqual([1, 2, 3]);
  });

  it('chooses the same from what was chosen, and for wider buckets from narrower ones', () => {
    const values = noise(1000);
    const x = Float64Array.from({ length: 1000 }, (_, i) => i);
    const pick = (places: number[], size: number) => {
      const some = Float64Array.from(places, (i) => x[i] as number);
      const y = Float64Array.from(places, (i) => values[i] as number);
      const keep = chosen(some, [y], 0, places.length, size);
      return places.filter((_, i) => keep[i]);
    };
    const all = Array.from(x);
    const narrow = pick(all, 16);
    expect(pick(narrow, 16)).toEqual(narrow);
    expect(pick(narrow, 64)).toEqual(pick(all, 64));
  });
});
