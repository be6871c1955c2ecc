// SPDX-License-Identifier: MIT
//
// Which charts the page has and what is in each: the loss first, then every other metric, grouped by
// what its name says before the slash.
import { valLossName } from '../proto/metrics';
import type { MetricSummary } from '../proto/summary';
import type { Series } from '../session/series';
import { colourOf, dashOf, VALIDATION } from './colours';
import type { Theme } from './view';

export type Goal = MetricSummary['goal'];

export interface DrawnRun {
  readonly id: string;
  readonly label: string;
  readonly series: Series;
  /** What is drawn of it, in order. */
  readonly metrics: readonly string[];
  readonly goalOf: (metric: string) => Goal;
}

export interface ChartLine {
  /** The id of its run. */
  readonly run: string;
  /** What tells it from the others: the run, or the metric where there is but one run. */
  readonly label: string;
  readonly metric: string;
  readonly series: Series;
  readonly colour: string;
  readonly dash: number[];
  /** Which value is best. */
  readonly goal: Goal;
}

export interface ChartSpec {
  readonly metric: string;
  readonly lines: readonly ChartLine[];
}

export interface ChartGroup {
  readonly title: string;
  readonly charts: readonly ChartSpec[];
}

function linesOf(metric: string, runs: readonly DrawnRun[], theme: Theme): ChartLine[] {
  const look = (id: string, place: number) => ({
    colour: colourOf(id, theme),
    dash: dashOf(place),
  });
  const lines = runs.flatMap(({ id, label, series, metrics, goalOf }, place) =>
    metrics.includes(metric)
      ? [
          {
            run: id,
            label: runs.length > 1 ? label : metric,
            metric,
            series,
            ...look(id, place),
            goal: goalOf(metric),
          },
        ]
      : [],
  );
  const [only] = runs;
  const validation = metric === 'loss' && only && valLossName(only.metrics);
  if (runs.length !== 1 || !validation) return lines;
  const { id, series } = only;
  const second = { colour: VALIDATION[theme], dash: dashOf(1), goal: 'min' } as const;
  return [...lines, { run: id, label: validation, metric: validation, series, ...second }];
}

/** A name without a slash is in the first group, beside the loss. */
export function groupOf(metric: string): string {
  const slash = metric.indexOf('/');
  return slash > 0 ? metric.slice(0, slash) : '';
}

export function chartGroups(runs: readonly DrawnRun[], theme: Theme): ChartGroup[] {
  const all = new Set(['loss', ...runs.flatMap(({ metrics }) => metrics)]);
  const [only] = runs;
  const inLoss = runs.length === 1 && only ? valLossName(only.metrics) : undefined;
  const groups = new Map<string, ChartSpec[]>([['', []]]);
  for (const metric of all) {
    if (metric === inLoss) continue;
    const lines = linesOf(metric, runs, theme);
    const title = groupOf(metric);
    if (lines.length > 0) groups.set(title, [...(groups.get(title) ?? []), { metric, lines }]);
  }
  return [...groups].map(([title, charts]) => ({ title, charts }));
}

/** Where along an axis the runs begin and end. */
export function extentOf(all: readonly Float64Array[]): [number, number] {
  const ends = all.flatMap((x) =>
    x.length > 0 ? [x[0] as number, x[x.length - 1] as number] : [],
  );
  if (ends.length === 0) return [0, 1];
  const from = Math.min(...ends);
  const to = Math.max(...ends);
  return to > from ? [from, to] : [from - 0.5, to + 0.5];
}
