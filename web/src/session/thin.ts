// SPDX-License-Identifier: MIT
//
// The daemon's own choice of points (its throttle/downsample), made here as well: of each bucket of the
// axis the first, the lowest, the highest and the last, and the first that is not finite; buckets are
// as wide as a power of two and begin at its multiples. What is chosen from what was chosen is the
// same, so a page that has followed a run for hours and one that was opened a moment ago draw the
// same points.

/** Points of each bucket. */
const PER_BUCKET = 4;

/** The smallest power of two with which so many points are enough for [from, to]; P-60. */
export function bucketSize(from: number, to: number, points: number): number {
  const most = Math.max(1, Math.floor(points / PER_BUCKET));
  let size = 1;
  while (Math.floor(to / size) - Math.floor(from / size) >= most) size *= 2;
  return size;
}

/** How many points show [from, to] in buckets of that size, or in smaller ones. */
export function pointsFor(from: number, to: number, size: number): number {
  return PER_BUCKET * (Math.floor(to / size) - Math.floor(from / size) + 1);
}

interface Bucket {
  first: number;
  low: number;
  high: number;
  last: number;
  gap: number;
}

const empty = (): Bucket => ({ first: -1, low: -1, high: -1, last: -1, gap: -1 });

function take(bucket: Bucket, y: Float64Array, i: number): void {
  const value = y[i] as number;
  if (bucket.first < 0) bucket.first = i;
  bucket.last = i;
  if (!Number.isFinite(value)) {
    if (bucket.gap < 0) bucket.gap = i;
    return;
  }
  if (bucket.low < 0 || value < (y[bucket.low] as number)) bucket.low = i;
  if (bucket.high < 0 || value > (y[bucket.high] as number)) bucket.high = i;
}

/** Marks what is chosen of a bucket; of five the first is left out. */
function mark(bucket: Bucket, keep: Uint8Array, from: number): void {
  const rest = new Set([bucket.low, bucket.high, bucket.last, bucket.gap]);
  rest.delete(-1);
  for (const i of rest) keep[i - from] = 1;
  if (bucket.first >= 0 && (rest.size < PER_BUCKET || rest.has(bucket.first)))
    keep[bucket.first - from] = 1;
}

/** Which of the points [from, end) are chosen for at least one of the columns: one byte each. */
export function chosen(
  x: Float64Array,
  columns: readonly Float64Array[],
  from: number,
  end: number,
  size: number,
): Uint8Array<ArrayBuffer> {
  const keep = new Uint8Array(end - from);
  for (const y of columns) {
    let bucket = empty();
    let number = -1;
    for (let i = from; i < end; i++) {
      if (Number.isNaN(y[i])) continue;
      const here = Math.floor((x[i] as number) / size);
      if (here !== number) {
        mark(bucket, keep, from);
        bucket = empty();
        number = here;
      }
      take(bucket, y, i);
    }
    mark(bucket, keep, from);
  }
  return keep;
}
