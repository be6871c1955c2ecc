// SPDX-License-Identifier: MIT
//
// Where records lie when epochs are along the bottom. Trainers say their epoch in each record or in
// some, as a whole number or as a part of one; a whole number repeats for thousands of records, and
// they must not all lie in one place. So only where the number rises is it taken at its word, and
// between two such places records are spread as their steps are.

interface Knots {
  /** Indices of records, and the epoch of each. */
  readonly at: number[];
  readonly epoch: number[];
}

/** Where the epoch rises. One that falls (the next model begins) says nothing new. */
function knotsOf(epochs: Float64Array): Knots {
  const at: number[] = [];
  const epoch: number[] = [];
  for (let i = 0; i < epochs.length; i++) {
    const value = epochs[i] as number;
    if (!Number.isFinite(value) || value <= (epoch.at(-1) ?? -Infinity)) continue;
    at.push(i);
    epoch.push(value);
  }
  return { at, epoch };
}

/**
 * The place of each record, rising with `x`, the place on the axis of steps. After the last knot the
 * pace of the stretch before goes on, for one stretch at most: the next epoch is not there yet.
 */
export function epochPlaces(x: Float64Array, epochs: Float64Array): Float64Array {
  const places = new Float64Array(x.length);
  const { at, epoch } = knotsOf(epochs);
  const last = at.length - 1;
  if (last <= 0) return places.fill(epoch[0] ?? 0);
  let k = 0;
  for (let i = 0; i < x.length; i++) {
    while (k < last - 1 && i >= (at[k + 1] as number)) k++;
    const [from, to] = [x[at[k] as number] as number, x[at[k + 1] as number] as number];
    const [low, high] = [epoch[k] as number, epoch[k + 1] as number];
    const part = to > from ? ((x[i] as number) - from) / (to - from) : 1;
    places[i] = Math.min(Math.max(0, low + part * (high - low)), 2 * high - low);
  }
  return places;
}
