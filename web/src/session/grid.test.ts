// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { bucketWidth, drawn, indexOf, type Track } from './grid';

function track(x: number[], y: number[]): Track {
  return { x: Float64Array.from(x), y: Float64Array.from(y) };
}

const long = track(
  Array.from({ length: 1000 }, (_, i) => i),
  Array.from({ length: 1000 }, (_, i) => (i % 2 === 0 ? 0 : 2)),
);

describe('session/grid', () => {
  it('draws few points as they are, over the places of all runs', () => {
    const seen = drawn([track([0, 2, 4], [1, 2, 3]), track([1, 2], [7, 8])], 0, 4, 100);
    expect(seen.x).toEqual([0, 1, 2, 4]);
    expect(seen.lines).toEqual([
      [1, undefined, 2, 3],
      [undefined, 7, 8, undefined],
    ]);
    expect(seen.bands).toBeNull();
  });

  it('passes over what was not sent and breaks at what is not finite', () => {
    const seen = drawn([track([0, 1, 2], [1, NaN, Infinity])], 0, 2, 100);
    expect(seen.lines).toEqual([[1, null]]);
  });

  it('interrupts the line where something new begins', () => {
    const two = { ...track([0, 1, 2, 3], [5, 4, 9, 8]), breaks: [2] };
    const seen = drawn([two], 0, 3, 100);
    expect([seen.x, seen.lines[0]]).toEqual([
      [0, 1, 1.5, 2, 3],
      [5, 4, null, 9, 8],
    ]);
    const many = { ...long, breaks: [500] };
    expect(drawn([many], 0, 999, 100).lines[0]).toContain(null);
  });

  it('reaches one point past what is in view on either side', () => {
    expect(drawn([track([0, 10, 20, 30, 40], [1, 1, 1, 1, 1])], 15, 25, 100).x).toEqual([
      10, 20, 30,
    ]);
  });

  it('draws the mean of many points in a band from lowest to highest', () => {
    const { lines, bands, x } = drawn([long], 0, 999, 100);
    const middle = x.length >> 1;
    expect(lines[0]?.[middle]).toBeCloseTo(1);
    expect([bands?.[0]?.low[middle], bands?.[0]?.high[middle]]).toEqual([0, 2]);
    expect(x.length).toBeLessThan(110);
  });

  it('does not move the borders of buckets as points come', () => {
    const before = drawn([long], 0, 990, 100);
    const after = drawn([long], 0, 999, 100);
    expect(after.x.slice(0, 50)).toEqual(before.x.slice(0, 50));
    expect(after.lines[0]?.slice(0, 50)).toEqual(before.lines[0]?.slice(0, 50));
    expect([bucketWidth(1000, 100), bucketWidth(1200, 100)]).toEqual([16, 16]);
  });

  it('breaks a band where a value was not finite', () => {
    const y = Float64Array.from(long.y);
    y[500] = Infinity;
    const { lines, x } = drawn([{ x: long.x, y }], 0, 999, 100);
    expect(lines[0]?.[x.findIndex((place) => Math.abs(place - 500) <= 8)]).toBeNull();
  });

  it('finds places', () => {
    expect([0, 1, 2.5, 9].map((at) => indexOf(long.x.subarray(0, 4), at))).toEqual([0, 1, 3, 4]);
  });

  it('has nothing to draw of nothing', () => {
    expect(drawn([track([], [])], 0, 0, 100)).toEqual({ x: [], lines: [[]], bands: null });
  });
});
