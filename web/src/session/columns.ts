// SPDX-License-Identifier: MIT
//
// The arrays below a Series: six columns of numbers that every point has, and one a metric. They
// have one capacity and grow together.
import type { Point } from '../proto/history';

const FIRST_CAPACITY = 256;
/** More metrics than the daemon tells the history of in one answer are not kept. */
const MOST_METRICS = 32;
const FIXED = ['offset', 'step', 'at', 'axis', 'x', 'since'] as const;

type Fixed = Record<(typeof FIXED)[number], Float64Array>;

/** Points that were cut off, to be joined again. */
export interface Tail {
  readonly offset: Float64Array;
  readonly fixed: Fixed;
  readonly metrics: ReadonlyMap<string, Float64Array>;
}

const NOTHING = new Float64Array(0);

function fixedBy(make: (name: keyof Fixed) => Float64Array): Fixed {
  return Object.fromEntries(FIXED.map((name) => [name, make(name)])) as Fixed;
}

/** NaN marks a hole, so a NaN that was really sent is stored as infinite. */
function stored(value: number): number {
  return Number.isNaN(value) ? Infinity : value;
}

export class Columns {
  length = 0;
  #capacity = FIRST_CAPACITY;
  #fixed = fixedBy(() => new Float64Array(FIRST_CAPACITY));
  #metrics = new Map<string, Float64Array>();

  get offset(): Float64Array {
    return this.#fixed.offset;
  }

  get step(): Float64Array {
    return this.#fixed.step;
  }

  /** When the daemon had it, in epoch seconds. */
  get at(): Float64Array {
    return this.#fixed.at;
  }

  /** Where the daemon says that it stands on the axis; NaN: it did not. */
  get axis(): Float64Array {
    return this.#fixed.axis;
  }

  get x(): Float64Array {
    return this.#fixed.x;
  }

  get since(): Float64Array {
    return this.#fixed.since;
  }

  get names(): readonly string[] {
    return [...this.#metrics.keys()];
  }

  /** Empty when there is no such metric. */
  metric(name: string): Float64Array {
    return this.#metrics.get(name) ?? NOTHING;
  }

  /** The first index whose offset is above `offset`. */
  indexAfter(offset: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#fixed.offset[middle] as number) > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  push(point: Point): void {
    this.#reserve(1);
    const i = this.length++;
    const { offset, step, at, axis } = this.#fixed;
    offset[i] = point.offset;
    step[i] = point.step ?? (i > 0 ? (step[i - 1] as number) : NaN);
    axis[i] = point.axis ?? NaN;
    at[i] = point.at ?? (i > 0 ? (at[i - 1] as number) : 0);
    for (const [name, value] of point.values) {
      const column = this.#metrics.get(name) ?? this.#begin(name);
      if (column) column[i] = stored(value);
    }
  }

  truncate(length: number, end = this.length): void {
    for (const column of this.#metrics.values()) column.fill(NaN, length, end);
    this.length = length;
  }

  /** Drops the metrics too; there must be no points. */
  forget(): void {
    this.#metrics.clear();
  }

  /** Keeps of the points from `from` on those whose byte in `keep` is set. */
  sift(from: number, keep: Uint8Array): void {
    const kept = keep.reduce((n, is) => n + is, 0);
    if (kept === keep.length) return;
    for (const column of [...Object.values(this.#fixed), ...this.#metrics.values()]) {
      let to = from;
      for (let i = 0; i < keep.length; i++) if (keep[i]) column[to++] = column[from + i] as number;
    }
    this.truncate(from + kept, from + keep.length);
  }

  /** A copy of the points from `index` on. */
  tail(index: number): Tail {
    const cut = (column: Float64Array) => column.slice(index, this.length);
    return {
      offset: cut(this.#fixed.offset),
      fixed: fixedBy((name) => cut(this.#fixed[name])),
      metrics: new Map([...this.#metrics].map(([name, column]) => [name, cut(column)])),
    };
  }

  join(tail: Tail): void {
    this.#reserve(tail.offset.length);
    for (const name of FIXED) this.#fixed[name].set(tail.fixed[name], this.length);
    for (const [name, column] of tail.metrics) this.#metrics.get(name)?.set(column, this.length);
    this.length += tail.offset.length;
  }

  #begin(name: string): Float64Array | null {
    if (this.#metrics.size >= MOST_METRICS) return null;
    const column = new Float64Array(this.#capacity).fill(NaN);
    this.#metrics.set(name, column);
    return column;
  }

  #reserve(more: number): void {
    let capacity = this.#capacity;
    while (capacity < this.length + more) capacity *= 2;
    if (capacity === this.#capacity) return;
    const grow = (column: Float64Array, rest: number) => {
      const grown = new Float64Array(capacity).fill(rest, this.length);
      grown.set(column);
      return grown;
    };
    this.#fixed = fixedBy((name) => grow(this.#fixed[name], 0));
    for (const [name, column] of this.#metrics) this.#metrics.set(name, grow(column, NaN));
    this.#capacity = capacity;
  }
}
