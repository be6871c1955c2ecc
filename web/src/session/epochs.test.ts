// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { epochPlaces } from './epochs';

const steps = Float64Array.from({ length: 8 }, (_, i) => i);

function places(...epochs: number[]): number[] {
  return Array.from(epochPlaces(steps.subarray(0, epochs.length), Float64Array.from(epochs)));
}

describe('session/epochs', () => {
  it('spreads the records of a whole epoch over it', () => {
    expect(places(0, 0, 1, 1, 2, 2)).toEqual([0, 0.5, 1, 1.5, 2, 2.5]);
  });

  it('takes parts of an epoch as they are, and fills those that say none', () => {
    expect(places(0.25, NaN, 0.75, NaN, 1.25)).toEqual([0.25, 0.5, 0.75, 1, 1.25]);
  });

  it('goes on at the pace of the epoch before, for one epoch', () => {
    expect(places(0, 1, 1, 1, 1)).toEqual([0, 1, 2, 2, 2]);
  });

  it('goes back from the first that is told, not below nothing', () => {
    expect(places(NaN, NaN, NaN, 1, 2)).toEqual([0, 0, 0, 1, 2]);
    expect(places(NaN, 3, 4)).toEqual([2, 3, 4]);
  });

  it('never goes back when the next model begins', () => {
    expect(places(0, 1, 2, 0, 1)).toEqual([0, 1, 2, 3, 3]);
  });

  it('has one place for a run that told one epoch, or none', () => {
    expect(places(2, 2, NaN)).toEqual([2, 2, 2]);
    expect(places(NaN, NaN)).toEqual([0, 0]);
  });
});
