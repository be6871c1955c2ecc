// SPDX-License-Identifier: MIT
//
// What can be said of a curve without seeing it.

export interface Facts {
  readonly min: number;
  readonly max: number;
  readonly last: number;
  readonly trend: 'falling' | 'rising' | 'flat';
  /** Whether a value was sent that is no finite number. */
  readonly diverged: boolean;
}

/** A change below this share of the whole range is none. */
const STEADY = 0.02;

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The trend is that of the newest fifth against the fifth before; null when there is no value. */
export function factsOf(x: Float64Array, y: Float64Array, from: number, to: number): Facts | null {
  const seen: number[] = [];
  let diverged = false;
  for (let i = 0; i < y.length; i++) {
    const place = x[i] as number;
    const value = y[i] as number;
    if (place < from || place > to || Number.isNaN(value)) continue;
    if (Number.isFinite(value)) seen.push(value);
    else diverged = true;
  }
  const last = seen.at(-1);
  if (last === undefined) return null;
  const min = seen.reduce((low, value) => Math.min(low, value));
  const max = seen.reduce((high, value) => Math.max(high, value));
  const part = Math.max(1, Math.floor(seen.length / 5));
  const change = seen.length < 2 ? 0 : mean(seen.slice(-part)) - mean(seen.slice(-2 * part, -part));
  const steady = Math.abs(change) <= STEADY * (max - min);
  return { min, max, last, diverged, trend: steady ? 'flat' : change < 0 ? 'falling' : 'rising' };
}
