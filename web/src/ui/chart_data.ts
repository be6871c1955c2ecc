// SPDX-License-Identifier: MIT
//
// The numbers of one chart at one moment: from the points of its lines to uPlot's columns, and the
// range to show them in.
import { drawn, type Cell, type Track } from '../session/grid';
import { robustRange } from '../session/range';
import type { Series } from '../session/series';
import { smoothed, spacing } from '../session/smooth';
import type { ChartLine } from './chart_lines';
import type { Shape } from './chart_options';
import type { View } from './view';

export interface ChartData {
  readonly columns: (number[] | Cell[])[];
  readonly shape: Shape;
  readonly range: readonly [min: number, max: number];
  /** How many values the range leaves out. */
  readonly outside: number;
}

function records(series: Series): number {
  return series.newest + 1;
}

function tracksOf(lines: readonly ChartLine[], view: View): { raw: Track[]; shown: Track[] } {
  const raw = lines.map(({ series, metric }) => ({
    x: series.xs(view.axis),
    y: series.ys(metric),
    breaks: series.breaks,
  }));
  if (view.smoothing <= 0) return { raw, shown: raw };
  const shown = raw.map(({ x, y, breaks }, k) => {
    const unit = spacing(x, records((lines[k] as ChartLine).series));
    return { x, y: smoothed(x, y, view.smoothing, unit), breaks };
  });
  return { raw, shown };
}

/** A metric that no record has yet has no column; one of holes stands for it. */
function whole({ x, y, breaks }: Track): Track {
  return { x, breaks, y: y.length === x.length ? y : new Float64Array(x.length).fill(NaN) };
}

/** All that is drawn, as numbers; it is done for each frame of each chart. */
function finite(columns: readonly Cell[][], isLog: boolean): Float64Array {
  const most = columns.reduce((n, column) => n + column.length, 0);
  const values = new Float64Array(most);
  let count = 0;
  for (const column of columns) {
    for (const value of column) {
      if (typeof value === 'number' && (!isLog || value > 0)) values[count++] = value;
    }
  }
  return values.subarray(0, count);
}

/** Below zero there is no logarithm: such values are left out. */
function forLog(column: Cell[]): Cell[] {
  return column.map((value) => (typeof value === 'number' && value <= 0 ? undefined : value));
}

/** What to draw between two places on x, on about `cells` places. */
export function chartData(
  lines: readonly ChartLine[],
  view: View,
  [from, to]: readonly [number, number],
  cells: number,
): ChartData {
  const { raw, shown } = tracksOf(lines, view);
  const isSmoothed = view.smoothing > 0;
  const original = drawn(raw.map(whole), from, to, cells);
  const top = isSmoothed ? drawn(shown.map(whole), from, to, cells) : original;
  const shape: Shape = { banded: original.bands !== null, smoothed: isSmoothed };
  const perLine = lines.map((_, k) => {
    const band = original.bands?.[k];
    const faint = isSmoothed ? [original.lines[k] as Cell[]] : [];
    return [...(band ? [band.high, band.low] : []), ...faint, top.lines[k] as Cell[]];
  });
  const columns = perLine.flat();
  const range = robustRange(finite(columns, view.log), view.log);
  return {
    columns: [original.x, ...(view.log ? columns.map(forLog) : columns)],
    shape,
    range: range ? [range.min, range.max] : view.log ? [0.1, 1] : [0, 1],
    outside: range?.outside ?? 0,
  };
}
