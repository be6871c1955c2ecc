// SPDX-License-Identifier: MIT
//
// The points of one run, in typed arrays that grow by doubling: a column a metric, NaN where a
// record has none. It is the one mutable thing of the pure folders: ten appends a second must not
// copy thousands of points, and the charts draw from these very arrays, so they stay outside every
// rendered state. `version` says that something changed.
//
// Two sources fill it. Live updates are appended; they are rounded and may have holes, because newest
// wins on the wire. History is exact, has everything, and is spliced in their place; `solidTo` is how
// far that has come. Of many records the daemon's choice is kept (sieve.ts), so what is drawn depends
// on the run and not on when the page was opened.
import type { Point } from '../proto/history';
import { epochName, type Axis } from './axis';
import { Columns } from './columns';
import { epochPlaces } from './epochs';
import { falls, place } from './placing';
import { Sieve, type Gap } from './sieve';

export class Series {
  /** Rises with every change. */
  version = 0;
  /** The offset up to which the points are those of history; -1: none are. */
  solidTo = -1;
  /** Points before this index have a place. */
  #placed = 0;
  #settledAt = -1;
  #breaks: readonly number[] = [];
  #epochs: Float64Array | null = null;
  readonly #sieve = new Sieve();
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

  /** Whether there are points that did not come from history. */
  get isProvisional(): boolean {
    return this.newest > this.solidTo;
  }

  /** What of history is not here yet. */
  get gap(): Gap {
    this.#settle();
    return this.#sieve.gap(this.#columns, this.solidTo);
  }

  /** From now on about `points` points of each of these metrics are kept. */
  keep(fields: readonly string[], points: number): void {
    this.#sieve.allow(fields, points);
    this.version++;
  }

  clear(): void {
    this.#columns.truncate(0);
    this.#columns.forget();
    this.#sieve.spare(null);
    this.solidTo = -1;
    this.#changed(0);
  }

  /** Adds a live point; a repeat or an older one is dropped. */
  append(point: Point): void {
    if (point.offset <= this.newest) return;
    this.#columns.push(point);
    this.version++;
  }

  /**
   * Puts history, complete from `after` on and asked for in so many points, in the place of the
   * points it covers. False: it went on for longer than was known, and is too coarse for that.
   */
  splice(after: number, history: readonly Point[], points = Infinity): boolean {
    const from = this.#columns.indexAfter(after);
    this.solidTo = Math.max(history.at(-1)?.offset ?? after, after);
    this.#replace(after, history, this.solidTo);
    if (history.length === 0) return true;
    this.#settle();
    const x = this.xs('step');
    const end = this.#columns.indexAfter(this.solidTo) - 1;
    return this.#sieve.suits(x[from] ?? 0, x[end] ?? 0, points);
  }

  /** Puts the points of `history` in the place of those of the same stretch, and keeps them all. */
  refine(history: readonly Point[]): void {
    const first = history[0];
    const last = history.at(-1);
    if (!first || !last) return;
    this.#replace(first.offset - 1, history, last.offset);
    this.#sieve.spare([first.offset, last.offset]);
  }

  /** Lets go of what was kept beyond the budget. */
  coarsen(): void {
    if (!this.#sieve.isSparing) return;
    this.#sieve.spare(null);
    this.version++;
  }

  /** Forgets what a record at `offset` supersedes that went back to an earlier step; P-12. */
  rewind(offset: number, to: number): void {
    const { step } = this.#columns;
    const end = this.#columns.indexAfter(offset - 1);
    let start = end;
    while (start > 0 && (step[start - 1] as number) >= to) {
      start--;
      // Behind a fall is the model before, which keeps all of its steps.
      if (start > 0 && (step[start - 1] as number) > (step[start] as number)) break;
    }
    if (start === end) return;
    this.#columns.sift(start, new Uint8Array(this.length - start).fill(1, end - start));
    this.#changed(start);
  }

  /** Where the points lie; borrowed until the next change. */
  xs(axis: Axis): Float64Array {
    this.#settle();
    const { at, since, x } = this.#columns;
    if (axis === 'epoch') return this.#epochPlaces();
    return (axis === 'time' ? at : axis === 'relative' ? since : x).subarray(0, this.length);
  }

  /** Where the record of an offset lies, or the first after it that is kept; undefined: none is. */
  placeAt(axis: Axis, offset: number): number | undefined {
    const places = this.xs(axis);
    return places[this.#columns.indexAfter(offset - 1)];
  }

  /** The values of a metric, one a point; NaN: not sent, infinite: sent, and not finite. */
  ys(metric: string): Float64Array {
    this.#settle();
    return this.#columns.metric(metric).subarray(0, this.length);
  }

  /** Indices of the points at which something new began: nothing is drawn across. */
  get breaks(): readonly number[] {
    this.#settle();
    return this.#breaks;
  }

  /** Where one point stands: its record, the trainer's step, and when it came in epoch seconds. */
  placeOf(i: number): { offset: number; step: number; time: number } {
    const { offset, step, at } = this.#columns;
    return { offset: offset[i] as number, step: step[i] as number, time: at[i] as number };
  }

  /** Puts `history` between the points up to `after` and those past `end`. */
  #replace(after: number, history: readonly Point[], end: number): void {
    const columns = this.#columns;
    const newer = columns.tail(columns.indexAfter(end));
    const from = columns.indexAfter(after);
    columns.truncate(from);
    for (const point of history) if (point.offset > this.newest) columns.push(point);
    columns.join(newer);
    this.#changed(from);
  }

  #changed(from: number): void {
    this.#placed = Math.min(this.#placed, from);
    this.#sieve.again(from);
    this.version++;
  }

  /** Places what has come, and drops what is not kept; before anything is read. */
  #settle(): void {
    if (this.#settledAt === this.version) return;
    place(this.#columns, this.#placed);
    this.#sieve.sift(this.#columns);
    this.#placed = this.length;
    this.#breaks = falls(this.#columns);
    this.#epochs = null;
    this.#settledAt = this.version;
  }

  #epochPlaces(): Float64Array {
    const name = epochName(this.names) ?? '';
    this.#epochs ??= epochPlaces(this.xs('step'), this.ys(name));
    return this.#epochs;
  }
}
