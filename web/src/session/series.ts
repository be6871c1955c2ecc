// SPDX-License-Identifier: MIT
//
// The points of one run, in typed arrays that grow by doubling: a column a metric, NaN where a
// record has none. It is the one mutable thing of the pure folders: ten appends a second must not
// copy thousands of points, and the charts draw from these very arrays, so they stay outside every
// rendered state. `version` says that something changed.
//
// Two sources fill it. Live updates are appended and may have holes, because newest wins on the
// wire; history has everything. `splice` puts a piece of history where it belongs and keeps the
// live points that are newer; `solidTo` is how far nothing is missing.
import type { Point } from '../proto/history';
import { epochName, type Axis } from './axis';
import { Columns } from './columns';
import { epochPlaces } from './epochs';

/** A stretch of the run: its records, and the lowest and the highest of their steps. */
export interface Stretch {
  readonly first: number;
  readonly last: number;
  readonly steps: readonly [from: number, to: number];
}

export class Series {
  /** Rises with every change. */
  version = 0;
  /** The offset up to which no record is missing; -1 when even the first one may be. */
  solidTo = -1;
  #placed = 0;
  /** Indices of the points whose step is below the one before. */
  #falls: number[] = [];
  /** Where the records lie along the epochs, and of which version. */
  #epochs: { version: number; places: Float64Array } = { version: -1, places: new Float64Array() };
  readonly #columns = new Columns();

  get length(): number {
    return this.#columns.length;
  }

  /** The names of the metrics that there are points of. */
  get names(): readonly string[] {
    return this.#columns.names;
  }

  /** The newest offset, or -1. */
  get newest(): number {
    return this.length > 0 ? (this.#columns.offset[this.length - 1] as number) : -1;
  }

  get hasHoles(): boolean {
    return this.newest > this.solidTo;
  }

  /** Which part of all records, from 0 to 1, came after the line was complete. */
  get missingShare(): number {
    const first = this.length > 0 ? (this.#columns.offset[0] as number) : 0;
    return this.hasHoles ? (this.newest - this.solidTo) / (this.newest - first + 1) : 0;
  }

  clear(): void {
    this.#truncate(0);
    this.#columns.forget();
    this.solidTo = -1;
    this.version++;
  }

  /** Adds a live point; a repeat or an older one is dropped. */
  append(point: Point): void {
    if (point.offset <= this.newest) return;
    if (point.offset === this.solidTo + 1) this.solidTo = point.offset;
    this.#columns.push(point);
    this.version++;
  }

  /** Puts history, complete from `after` on, in the place of the points it covers. */
  splice(after: number, history: readonly Point[]): void {
    const end = history.at(-1)?.offset ?? after;
    const tail = this.#replace(after, history, end);
    this.solidTo = end;
    for (const offset of tail) if (offset === this.solidTo + 1) this.solidTo = offset;
    this.version++;
  }

  /** Puts the points of `history` between those of the same stretch, which they may repeat. */
  refine(history: readonly Point[]): void {
    const first = history[0];
    const last = history.at(-1);
    if (!first || !last) return;
    this.#replace(first.offset - 1, history, last.offset);
    this.version++;
  }

  /** Where the points lie; borrowed until the next change. */
  xs(axis: Axis): Float64Array {
    this.#place();
    const { length } = this;
    if (axis === 'time') return this.#columns.at.subarray(0, length);
    if (axis === 'relative') return this.#columns.since.subarray(0, length);
    if (axis === 'epoch') return this.#epochPlaces();
    return (this.counts ? this.#columns.x : this.#columns.offset).subarray(0, length);
  }

  /** The values of a metric, one a point; NaN: not sent, infinite: sent, and not finite. */
  ys(metric: string): Float64Array {
    return this.#columns.metric(metric).subarray(0, this.length);
  }

  /** Where one point stands: its record, the trainer's step, and when it came in epoch seconds. */
  placeOf(i: number): { offset: number; step: number; time: number } {
    const { offset, step, at } = this.#columns;
    return { offset: offset[i] as number, step: step[i] as number, time: at[i] as number };
  }

  /** False when the trainer counts no steps, so that records are counted in their place. */
  get counts(): boolean {
    this.#place();
    const { x } = this.#columns;
    return this.length < 2 || x[0] !== x[this.length - 1];
  }

  /** Indices of the points at which something new began: nothing is drawn across. */
  get breaks(): readonly number[] {
    this.#place();
    return this.#falls;
  }

  /** What lies between two places of an axis; null when nothing does. */
  between(axis: Axis, from: number, to: number): Stretch | null {
    const xs = this.xs(axis);
    const { offset, step } = this.#columns;
    let steps: [number, number] = [Infinity, -Infinity];
    let first = -1;
    let last = -1;
    for (let i = 0; i < xs.length; i++) {
      if ((xs[i] as number) < from || (xs[i] as number) > to) continue;
      if (first < 0) first = offset[i] as number;
      last = offset[i] as number;
      steps = [Math.min(steps[0], step[i] as number), Math.max(steps[1], step[i] as number)];
    }
    return first < 0 ? null : { first, last, steps };
  }

  #epochPlaces(): Float64Array {
    const { version } = this;
    if (this.#epochs.version !== version) {
      const places = epochPlaces(this.xs('step'), this.ys(epochName(this.names) ?? ''));
      this.#epochs = { version, places };
    }
    return this.#epochs.places;
  }

  /** Puts `history` between the points up to `after` and those past `end`; returns the latter. */
  #replace(after: number, history: readonly Point[], end: number): Float64Array {
    const newer = this.#columns.tail(this.#indexAfter(end));
    this.#truncate(this.#indexAfter(after));
    for (const point of history) if (point.offset > this.newest) this.#columns.push(point);
    this.#columns.join(newer);
    return newer.offset;
  }

  /** The first index whose offset is above `offset`. */
  #indexAfter(offset: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#columns.offset[middle] as number) > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /**
   * Works out where the points lie that have no place yet. A step that falls (the next model, or a
   * restart from a checkpoint) is one place further on, as on the daemon's axis; a clock that was set
   * back lets the line go on from where it is: a line never runs backwards.
   */
  #place(): void {
    const { step, x, at, since } = this.#columns;
    for (let i = this.#placed; i < this.length; i++) {
      const now = step[i] as number;
      const before = i > 0 ? (step[i - 1] as number) : 0;
      x[i] = (i > 0 ? (x[i - 1] as number) : 0) + (now < before ? 1 : now - before);
      if (now < before) this.#falls.push(i);
      if (i > 0 && !((at[i] as number) >= (at[i - 1] as number))) at[i] = at[i - 1] as number;
      since[i] = (at[i] as number) - (at[0] as number);
    }
    this.#placed = this.length;
  }

  #truncate(length: number): void {
    this.#columns.truncate(length);
    this.#placed = Math.min(this.#placed, length);
    this.#falls = this.#falls.filter((i) => i < this.#placed);
  }
}
