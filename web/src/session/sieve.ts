// SPDX-License-Identifier: MIT
//
// Which points of a run are kept: all, until there are more records than the budget; then those that
// the daemon would choose of them, bucket by bucket as they come. A stretch that was asked for closer
// is left as it is.
import type { Columns } from './columns';
import { bucketSize, chosen, pointsFor } from './thin';

/** What a line can show, and what all lines of a run together are worth. */
const LINE_POINTS = 1500;
const RUN_POINTS = 6000;
/** The least of a line. */
const FEWEST_POINTS = 64;

/** How many points each of so many metrics of a run gets. */
export function pointsOfEach(metrics: number): number {
  const share = Math.floor(RUN_POINTS / Math.max(1, metrics));
  return Math.min(LINE_POINTS, Math.max(FEWEST_POINTS, share));
}

/** What to ask history for: what comes after an offset, in about so many points. */
export interface Gap {
  readonly after: number;
  readonly points: number;
}

export class Sieve {
  #budget = Infinity;
  #fields: readonly string[] = [];
  /** The buckets of the points before `#sifted`; 0: all are kept. */
  #size = 0;
  #sifted = 0;
  /** Offsets of the stretch that is left alone. */
  #detail: readonly [number, number] | null = null;

  /** Keeps about `points` points of each of `fields`. */
  allow(fields: readonly string[], points: number): void {
    [this.#fields, this.#budget] = [fields, points];
    this.again(0);
  }

  /** The points from this index on have changed. */
  again(index: number): void {
    this.#sifted = Math.min(this.#sifted, index);
  }

  /** From now on this stretch is left alone; null: none is. */
  spare(detail: readonly [number, number] | null): void {
    this.#detail = detail;
    this.again(0);
  }

  get isSparing(): boolean {
    return this.#detail !== null;
  }

  /** Drops what is not to be kept; all points have their places. */
  sift(columns: Columns): void {
    const { offset, x, length } = columns;
    if (length === 0) return;
    const records = (offset[length - 1] as number) - (offset[0] as number) + 1;
    const last = x[length - 1] as number;
    const size = records > this.#budget ? bucketSize(x[0] as number, last, this.#budget) : 0;
    if (size !== this.#size) [this.#size, this.#sifted] = [size, 0];
    if (size === 0) return;
    const from = this.#bucketBegin(columns, Math.min(this.#sifted, length - 1));
    const metrics = this.#fields.map((name) => columns.metric(name)).filter((y) => y.length > 0);
    const keep = chosen(x, metrics, from, length, size);
    if (this.#detail) this.#exempt(columns, keep, from, this.#detail);
    columns.sift(from, keep);
    this.#sifted = this.#bucketBegin(columns, columns.length - 1);
  }

  /** What to ask for when history is known up to `solidTo`: from the bucket on that it may add to. */
  gap(columns: Columns, solidTo: number): Gap {
    if (solidTo < 0 || this.#size === 0) return { after: solidTo, points: this.#budget };
    const solid = Math.max(0, columns.indexAfter(solidTo) - 1);
    const begin = this.#bucketBegin(columns, solid);
    const after = begin > 0 ? (columns.offset[begin - 1] as number) : -1;
    const to = columns.x[columns.length - 1] as number;
    // Twice as many, for there may be more by then, and the buckets must not get wider for it.
    const points = 2 * pointsFor(columns.x[begin] as number, to, this.#size);
    return { after, points: Math.min(this.#budget, points) };
  }

  /** Whether points chosen from [from, to] for so many are all that would be kept of them. */
  suits(from: number, to: number, points: number): boolean {
    return points >= this.#budget || bucketSize(from, to, points) <= this.#size;
  }

  /** The first index of the bucket that a point is in. */
  #bucketBegin({ x }: Columns, index: number): number {
    const bucket = (i: number) => Math.floor((x[i] as number) / this.#size);
    let begin = Math.max(0, index);
    while (begin > 0 && bucket(begin - 1) === bucket(index)) begin--;
    return begin;
  }

  #exempt(
    columns: Columns,
    keep: Uint8Array,
    from: number,
    detail: readonly [number, number],
  ): void {
    const first = columns.indexAfter(detail[0] - 1);
    keep.fill(1, Math.max(0, first - from), Math.max(0, columns.indexAfter(detail[1]) - from));
  }
}
