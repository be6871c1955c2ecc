// SPDX-License-Identifier: MIT
//
// The points of a chart as a file: what is in view, as it came and not smoothed, a row a value, so
// that any table program groups it by run. `step` and `time` are the trainer's and the daemon's own
// (epoch seconds), whatever lies along the bottom.
import { indexOf } from '../session/grid';
import type { ChartLine } from './chart_lines';
import type { View } from './view';

export interface ChartContent {
  readonly metric: string;
  readonly lines: readonly ChartLine[];
  readonly view: View;
  /** What is in view on x. */
  readonly extent: readonly [from: number, to: number];
}

interface Row {
  readonly offset: number;
  readonly step: number;
  readonly time: number;
  readonly value: number;
}

/** The points of one line that are in view and have a value. */
export function rowsInView(
  { series, metric }: ChartLine,
  view: View,
  extent: ChartContent['extent'],
) {
  const xs = series.xs(view.axis);
  const ys = series.ys(metric);
  const rows: Row[] = [];
  for (let i = indexOf(xs, extent[0]); i < ys.length && (xs[i] as number) <= extent[1]; i++) {
    const value = ys[i] as number;
    if (!Number.isNaN(value)) rows.push({ ...series.placeOf(i), value });
  }
  return rows;
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

/** A value that was not finite has no number here. */
function valueOf(value: number): number | 'NaN' {
  return Number.isFinite(value) ? value : 'NaN';
}

export function chartCsv({ lines, view, extent }: ChartContent): string {
  const rows = lines.flatMap((line) =>
    rowsInView(line, view, extent).map(({ offset, step, time, value }) =>
      [quoted(line.run), quoted(line.metric), offset, step, time, valueOf(value)].join(),
    ),
  );
  return ['run,metric,offset,step,time,value', ...rows, ''].join('\r\n');
}

export function chartJson({ metric, lines, view, extent }: ChartContent): string {
  const curves = lines.map((line) => {
    const rows = rowsInView(line, view, extent);
    return {
      run: line.run,
      metric: line.metric,
      offset: rows.map(({ offset }) => offset),
      step: rows.map(({ step }) => step),
      time: rows.map(({ time }) => time),
      value: rows.map(({ value }) => valueOf(value)),
    };
  });
  return `${JSON.stringify({ chart: metric, axis: view.axis, inView: extent, lines: curves })}\n`;
}

/** A name that every file system takes. */
export function fileName(
  { metric, lines }: Pick<ChartContent, 'metric' | 'lines'>,
  ending: string,
) {
  const runs = new Set(lines.map(({ run }) => run));
  const [only] = runs.size === 1 ? runs : [];
  const name = only === undefined ? metric : `${only}-${metric}`;
  return `${name.replace(/[^A-Za-z0-9._-]+/g, '_').slice(0, 100)}.${ending}`;
}

/** Where the daemon has every record of a run as a table, below the page's own folder. */
export function recordsAddress(run: string, metric: string): string {
  const query = new URLSearchParams({ format: 'csv', fields: metric, limit: '1000000000000' });
  return `api/training/history/${encodeURIComponent(run)}?${query.toString()}`;
}
