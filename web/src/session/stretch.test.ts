// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { Series } from './series';
import { stretchOf } from './stretch';

function series(steps: readonly (number | undefined)[]): Series {
  const made = new Series();
  steps.forEach((step, i) => {
    made.append({ offset: i + 2, at: i, step, values: [['loss', 1]] });
  });
  return made;
}

describe('session/stretch', () => {
  it('has what is in view, and one record more on either side', () => {
    const run = series([20, 30, 40, 50, 60, 70]);
    expect(stretchOf(run, 'step', 35, 55)).toEqual({ first: 3, last: 6, steps: [30, 60] });
    expect(stretchOf(run, 'step', 0, 99)).toEqual({ first: 2, last: 7, steps: [20, 70] });
    expect(stretchOf(run, 'time', 5, 9)).toEqual({ first: 6, last: 7, steps: [60, 70] });
  });

  it('is nothing where there is nothing', () => {
    expect(stretchOf(series([20, 30]), 'step', 31, 99)).toBeNull();
    expect(stretchOf(series([]), 'step', 0, 9)).toBeNull();
  });

  it('has the steps of all models in it', () => {
    expect(stretchOf(series([8, 9, 0, 1]), 'step', 9, 10)?.steps).toEqual([0, 9]);
  });

  it('knows no steps of a trainer that counts none', () => {
    expect(stretchOf(series([undefined, undefined]), 'step', 0, 1)?.steps).toEqual([NaN, NaN]);
  });
});
