// SPDX-License-Identifier: MIT
//
// The part of a run that is in view, as history is asked for it.
import type { Axis } from './axis';
import { indexAfter, indexOf } from './grid';
import type { Series } from './series';

/** What is in view while it is not the whole run. */
export interface Zoom {
  readonly axis: Axis;
  readonly from: number;
  readonly to: number;
}

/** Its records, and the lowest and the highest of their steps; NaN when they have none. */
export interface Stretch {
  readonly first: number;
  readonly last: number;
  readonly steps: readonly [from: number, to: number];
}

/** What lies between two places of an axis, and one point more on either side; null: nothing. */
export function stretchOf(series: Series, axis: Axis, from: number, to: number): Stretch | null {
  const xs = series.xs(axis);
  const [start, end] = [indexOf(xs, from), indexAfter(xs, to)];
  if (start >= end) return null;
  const first = series.placeOf(Math.max(0, start - 1));
  const last = series.placeOf(Math.min(xs.length - 1, end));
  let [low, high] = [Math.min(first.step, last.step), Math.max(first.step, last.step)];
  for (let i = start; i < end; i++) {
    const { step } = series.placeOf(i);
    [low, high] = [Math.min(low, step), Math.max(high, step)];
  }
  return { first: first.offset, last: last.offset, steps: [low, high] };
}
