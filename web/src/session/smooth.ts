// SPDX-License-Identifier: MIT
//
// Smoothing: an exponential moving average that forgets by distance along x and not by count, so
// that a stretch with more points (raw ones after a zoom, say) is smoothed no less than the rest.

/** `weight`, from 0 (none) to below 1, is what is left of a value after `unit` of x. */
export function smoothed(
  x: Float64Array,
  y: Float64Array,
  weight: number,
  unit: number,
): Float64Array {
  if (weight <= 0 || !(unit > 0)) return y;
  const out = new Float64Array(y.length);
  let sum = 0;
  let total = 0;
  let at = -Infinity;
  for (let i = 0; i < y.length; i++) {
    const value = y[i] as number;
    out[i] = value;
    if (!Number.isFinite(value)) continue;
    const left = total === 0 ? 0 : Math.pow(weight, Math.max(0, (x[i] as number) - at) / unit);
    // What comes in weighs as much as its distance takes away, and a first value counts once.
    const share = total === 0 ? 1 - weight : 1 - left;
    sum = sum * left + value * share;
    total = total * left + share;
    at = x[i] as number;
    out[i] = sum / total;
  }
  return out;
}

/** The distance between two records of a run, which a thinned history does not show. */
export function spacing(x: Float64Array, records: number): number {
  const first = x[0];
  const last = x[x.length - 1];
  if (first === undefined || last === undefined || records < 2) return 0;
  return (last - first) / (records - 1);
}
