// SPDX-License-Identifier: MIT
//
// The points of a loss line, in typed arrays that grow by doubling. It is the one mutable thing of
// the pure folders: ten appends a second must not copy thousands of points, and the chart draws
// from these very arrays, so they stay outside every rendered state. `version` says that something
// changed.
//
// Two sources fill it. Live updates are appended and may have holes, because newest wins on the
// wire; history has everything. `splice` puts a piece of history where it belongs and keeps the
// live points that are newer; `solidTo` is how far nothing is missing.
import type { Point } from '../proto/history';

const FIRST_CAPACITY = 256;
const COLUMNS = ['offset', 'step', 'x', 'loss', 'valLoss'] as const;

type Columns = Record<(typeof COLUMNS)[number], Float64Array>;

export interface Line {
  /** Whether `x` counts steps, or records because the trainer counts no steps. */
  readonly axis: 'step' | 'record';
  readonly x: Float64Array;
  /** NaN: not sent. Infinite: sent, and not a finite number. */
  readonly loss: Float64Array;
  readonly valLoss: Float64Array;
  /** Where, in x, the steps fell back and something new began: nothing is drawn across. */
  readonly breaks: readonly number[];
}

function columns(make: (name: keyof Columns) => Float64Array): Columns {
  return Object.fromEntries(COLUMNS.map((name) => [name, make(name)])) as Columns;
}

/** NaN marks a hole, so a NaN that was really sent is stored as infinite. */
function stored(value: number | undefined): number {
  if (value === undefined) return NaN;
  return Number.isNaN(value) ? Infinity : value;
}

export class Series {
  /** Rises with every change. */
  version = 0;
  /** The offset up to which no record is missing; -1 when even the first one may be. */
  solidTo = -1;
  #length = 0;
  #placed = 0;
  /** Indices of the points whose step is below the one before. */
  #falls: number[] = [];
  #columns = columns(() => new Float64Array(FIRST_CAPACITY));

  get length(): number {
    return this.#length;
  }

  /** The newest offset, or -1. */
  get newest(): number {
    return this.#columns.offset[this.#length - 1] ?? -1;
  }

  get hasHoles(): boolean {
    return this.newest > this.solidTo;
  }

  /** Which part of all records, from 0 to 1, came after the line was complete. */
  get missingShare(): number {
    const first = this.#columns.offset[0] ?? 0;
    return this.hasHoles ? (this.newest - this.solidTo) / (this.newest - first + 1) : 0;
  }

  clear(): void {
    this.#truncate(0);
    this.solidTo = -1;
    this.version++;
  }

  /** Adds a live point; a repeat or an older one is dropped. */
  append(point: Point): void {
    if (point.offset <= this.newest) return;
    if (point.offset === this.solidTo + 1) this.solidTo = point.offset;
    this.#push(point);
    this.version++;
  }

  /** Puts history, complete from `after` on, in the place of the points it covers. */
  splice(after: number, history: readonly Point[]): void {
    const end = history.at(-1)?.offset ?? after;
    const tail = this.#indexAfter(end);
    const newer = columns((name) => this.#columns[name].slice(tail, this.#length));
    this.#truncate(this.#indexAfter(after));
    for (const point of history) if (point.offset > this.newest) this.#push(point);
    this.#reserve(newer.offset.length);
    for (const name of COLUMNS) this.#columns[name].set(newer[name], this.#length);
    this.#length += newer.offset.length;
    this.solidTo = end;
    for (const offset of newer.offset) if (offset === this.solidTo + 1) this.solidTo = offset;
    this.version++;
  }

  /** The arrays to draw; borrowed until the next change. */
  line(): Line {
    this.#place();
    const view = (name: keyof Columns) => this.#columns[name].subarray(0, this.#length);
    const x = view('x');
    const counts = this.#length < 2 || x[0] !== x.at(-1);
    return {
      axis: counts ? 'step' : 'record',
      x: counts ? x : view('offset'),
      loss: view('loss'),
      valLoss: view('valLoss'),
      breaks: this.#falls.map((i) => x[i] as number),
    };
  }

  /** The first index whose offset is above `offset`. */
  #indexAfter(offset: number): number {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#columns.offset[middle] as number) > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /**
   * Works out x for the points that have none yet. A step that falls (the next model, or a restart
   * from a checkpoint) lets the line go on from where it is: a line never runs backwards.
   */
  #place(): void {
    const { step, x } = this.#columns;
    for (let i = this.#placed; i < this.#length; i++) {
      const at = step[i] as number;
      const before = i > 0 ? (step[i - 1] as number) : 0;
      x[i] = (i > 0 ? (x[i - 1] as number) : 0) + Math.max(0, at - before);
      if (at < before) this.#falls.push(i);
    }
    this.#placed = this.#length;
  }

  #push(point: Point): void {
    this.#reserve(1);
    const i = this.#length++;
    const { offset, step, loss, valLoss } = this.#columns;
    offset[i] = point.offset;
    step[i] = point.step ?? step[i - 1] ?? 0;
    loss[i] = stored(point.loss);
    valLoss[i] = stored(point.valLoss);
  }

  #truncate(length: number): void {
    this.#length = length;
    this.#placed = Math.min(this.#placed, length);
    this.#falls = this.#falls.filter((i) => i < this.#placed);
  }

  #reserve(more: number): void {
    let capacity = this.#columns.offset.length;
    while (capacity < this.#length + more) capacity *= 2;
    if (capacity === this.#columns.offset.length) return;
    const old = this.#columns;
    this.#columns = columns((name) => {
      const grown = new Float64Array(capacity);
      grown.set(old[name]);
      return grown;
    });
  }
}
