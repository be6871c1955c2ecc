// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { Columns } from './columns';
import { falls, place } from './placing';

/** Columns of points with a step each, and the place that history told of some. */
function placed(...points: readonly (readonly [step: number | undefined, axis?: number])[]) {
  const columns = new Columns();
  points.forEach(([step, axis], i) => {
    columns.push({ offset: i, at: i, step, axis, values: [] });
  });
  place(columns, 0);
  return { x: Array.from(columns.x.subarray(0, columns.length)), falls: falls(columns) };
}

describe('session/placing', () => {
  it('goes on as far as the step does, and one where it falls, as the daemon does', () => {
    expect(placed([100], [200], [50], [60])).toEqual({ x: [100, 200, 201, 211], falls: [2] });
    expect(placed([7], [7])).toEqual({ x: [7, 7], falls: [] });
  });

  it('takes the place that it is told, and goes on from there', () => {
    expect(placed([5, 5], [8, 14], [9])).toEqual({ x: [5, 14, 15], falls: [1] });
  });

  it('counts records while there are no steps', () => {
    expect(placed([undefined], [undefined], [undefined])).toEqual({ x: [0, 1, 2], falls: [] });
  });

  it('never goes back', () => {
    expect(placed([5, 5], [6, 3]).x).toEqual([5, 5]);
  });
});
