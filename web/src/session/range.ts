// SPDX-License-Identifier: MIT
//
// How high a chart is. A few spikes must not press a curve flat, so the range is that of the middle
// of the values with half as much again on either side; what does not fit in is counted and said.

export interface Range {
  readonly min: number;
  readonly max: number;
  /** How many values lie outside. */
  readonly outside: number;
}

const TRIM = 0.02;
const MARGIN = 0.5;

function at(sorted: Float64Array, share: number): number {
  return sorted[Math.round(share * (sorted.length - 1))] as number;
}

/** The logarithms of `values`, or themselves; in order. */
function inOrder(values: Float64Array, isLog: boolean): Float64Array {
  const sorted = values.slice();
  if (isLog) for (let i = 0; i < sorted.length; i++) sorted[i] = Math.log10(sorted[i] as number);
  return sorted.sort();
}

/** How many of them lie outside; those that do are at the ends. */
function countOutside(sorted: Float64Array, min: number, max: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high && (sorted[low] as number) < min) low++;
  while (high > low && (sorted[high - 1] as number) > max) high--;
  return low + sorted.length - high;
}

/** The range to show finite values in; on a log axis the values are above zero. Null without any. */
export function robustRange(values: Float64Array, isLog: boolean): Range | null {
  if (values.length === 0) return null;
  const unscale = isLog ? (value: number) => Math.pow(10, value) : (value: number) => value;
  const sorted = inOrder(values, isLog);
  const [low, high] = [at(sorted, TRIM), at(sorted, 1 - TRIM)];
  const room = (high - low) * MARGIN;
  const lowest = at(sorted, 0);
  const highest = at(sorted, 1);
  const min = room > 0 ? Math.max(lowest, low - room) : lowest;
  const max = room > 0 ? Math.min(highest, high + room) : highest;
  const outside = countOutside(sorted, min, max);
  const pad = max > min ? (max - min) * 0.05 : Math.abs(max) * 0.05 || 0.5;
  return { min: unscale(min - pad), max: unscale(max + pad), outside };
}
