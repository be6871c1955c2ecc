// SPDX-License-Identifier: MIT
//
// What can be said of a curve without seeing it.

export interface Facts {
  readonly min: number;
  readonly max: number;
  /** Where the lowest and the highest value came first. */
  readonly minAt: number;
  readonly maxAt: number;
  readonly last: number;
  readonly trend: 'falling' | 'rising' | 'flat';
  /** Whether a value was sent that is no finite number. */
  readonly diverged: boolean;
}

/** A change below this share of the whole range is none. */
const STEADY = 0.02;
/** The trend is that of the newest of so many parts against the one before. */
const PARTS = 5;

/** The mean of the finite values of a stretch. */
function mean(y: Float64Array, from: number, to: number): number {
  let sum = 0;
  let count = 0;
  for (let i = from; i < to; i++) {
    const value = y[i] as number;
    if (!Number.isFinite(value)) continue;
    sum += value;
    count++;
  }
  return sum / count;
}

function trendOf(y: Float64Array, from: number, to: number, range: number): Facts['trend'] {
  const part = Math.max(1, Math.floor((to - from) / PARTS));
  const change = mean(y, to - part, to) - mean(y, Math.max(from, to - 2 * part), to - part);
  if (Number.isNaN(change) || Math.abs(change) <= STEADY * range) return 'flat';
  return change < 0 ? 'falling' : 'rising';
}

/** Of the points between the indices `from` and `to`; null when no value is among them. */
export function factsOf(x: Float64Array, y: Float64Array, from: number, to: number): Facts | null {
  let low = -1;
  let high = -1;
  let last = -1;
  let diverged = false;
  for (let i = from; i < to; i++) {
    const value = y[i] as number;
    if (!Number.isFinite(value)) {
      diverged ||= !Number.isNaN(value);
      continue;
    }
    if (low < 0 || value < (y[low] as number)) low = i;
    if (high < 0 || value > (y[high] as number)) high = i;
    last = i;
  }
  if (last < 0) return null;
  const [min, max] = [y[low] as number, y[high] as number];
  return {
    min,
    max,
    minAt: x[low] as number,
    maxAt: x[high] as number,
    last: y[last] as number,
    trend: trendOf(y, from, last + 1, max - min),
    diverged,
  };
}
