// SPDX-License-Identifier: MIT
//
// From the points of several runs to what one chart draws: columns over one common x. While there
// are few points in view they are drawn as they are. When there are more than a chart has pixels,
// each bucket of x has the mean of its points, and their lowest and highest for the band around it.
// The borders of buckets are multiples of a power of two: they do not move as points come.
//
// In a column undefined is passed over and null interrupts the line, as uPlot has it: a value that
// was not sent is passed over, one that was no finite number leaves a visible gap.

export interface Track {
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** Indices at which something new begins: the line does not come from the point before. */
  readonly breaks?: readonly number[] | undefined;
}

export type Cell = number | null | undefined;

export interface Drawn {
  readonly x: number[];
  /** One a track. */
  readonly lines: Cell[][];
  /** The lowest and the highest of each bucket, one pair a track; null when points are drawn. */
  readonly bands: readonly { readonly low: Cell[]; readonly high: Cell[] }[] | null;
}

/** The first index at or past `at`. */
export function indexOf(x: Float64Array, at: number): number {
  let low = 0;
  let high = x.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((x[middle] as number) >= at) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The first index past `at`. */
export function indexAfter(x: Float64Array, at: number): number {
  let i = indexOf(x, at);
  while (i < x.length && (x[i] as number) <= at) i++;
  return i;
}

/** The points in view and one more on either side, so that lines reach the edges. */
function inView({ x }: Track, from: number, to: number): [number, number] {
  return [Math.max(0, indexOf(x, from) - 1), Math.min(x.length, indexOf(x, to) + 1)];
}

function cell(value: number): Cell {
  if (Number.isNaN(value)) return undefined;
  return Number.isFinite(value) ? value : null;
}

/** A place before each break in view, where the line is interrupted. */
function gaps({ x, breaks = [] }: Track, [first, end]: readonly [number, number]): number[] {
  return breaks
    .filter((i) => i > first && i < end)
    .map((i) => ((x[i - 1] as number) + (x[i] as number)) / 2);
}

function asPoints(tracks: readonly Track[], views: readonly [number, number][]): Drawn {
  const places = new Set<number>();
  tracks.forEach(({ x, y }, k) => {
    const [first, end] = views[k] as [number, number];
    for (let i = first; i < end; i++) if (!Number.isNaN(y[i])) places.add(x[i] as number);
    for (const place of gaps(tracks[k] as Track, [first, end])) places.add(place);
  });
  const x = [...places].sort((a, b) => a - b);
  const index = new Map(x.map((place, i) => [place, i]));
  const lines = tracks.map(({ x: own, y }, k) => {
    const column = new Array<Cell>(x.length).fill(undefined);
    const [first, end] = views[k] as [number, number];
    for (const place of gaps(tracks[k] as Track, [first, end]))
      column[index.get(place) as number] = null;
    for (let i = first; i < end; i++) {
      const at = index.get(own[i] as number);
      if (at !== undefined && !Number.isNaN(y[i])) column[at] = cell(y[i] as number);
    }
    return column;
  });
  return { x, lines, bands: null };
}

/** The width of a bucket for so many of them. */
export function bucketWidth(span: number, cells: number): number {
  return Math.pow(2, Math.ceil(Math.log2(span / cells)));
}

function asBuckets(
  tracks: readonly Track[],
  views: readonly [number, number][],
  from: number,
  to: number,
  cells: number,
): Drawn {
  const width = bucketWidth(to - from, cells);
  const start = Math.floor(from / width) - 1;
  const length = Math.floor(to / width) - start + 2;
  const column = () => new Array<Cell>(length).fill(undefined);
  const lines: Cell[][] = [];
  const bands = tracks.map(({ x, y, breaks }, k) => {
    const begins = new Set(breaks);
    const [first, end] = views[k] as [number, number];
    const [line, low, high] = [column(), column(), column()];
    const counts = new Uint32Array(length);
    for (let i = first; i < end; i++) {
      const value = y[i] as number;
      if (Number.isNaN(value)) continue;
      const at = Math.min(length - 1, Math.max(0, Math.floor((x[i] as number) / width) - start));
      if (line[at] === null) continue;
      if (!Number.isFinite(value) || begins.has(i)) {
        line[at] = low[at] = high[at] = null;
        continue;
      }
      const n = (counts[at] = (counts[at] as number) + 1);
      line[at] = n === 1 ? value : (line[at] as number) + (value - (line[at] as number)) / n;
      low[at] = n === 1 ? value : Math.min(low[at] as number, value);
      high[at] = n === 1 ? value : Math.max(high[at] as number, value);
    }
    lines.push(line);
    return { low, high };
  });
  const x = Array.from({ length }, (_, i) => (start + i + 0.5) * width);
  return { x, lines, bands };
}

/** What to draw of `tracks` between two places, with no more than about `cells` places on x. */
export function drawn(tracks: readonly Track[], from: number, to: number, cells: number): Drawn {
  const views = tracks.map((track) => inView(track, from, to));
  const most = views.reduce((n, [first, end]) => Math.max(n, end - first), 0);
  return most <= cells || !(to > from)
    ? asPoints(tracks, views)
    : asBuckets(tracks, views, from, to, cells);
}
