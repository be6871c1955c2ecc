// SPDX-License-Identifier: MIT
//
// What a chart shows, in words: a sentence a line.
import { curveSentence } from '../insight/chart_words';
import { factsOf } from '../session/facts';
import { indexAfter, indexOf } from '../session/grid';
import { placeText } from './axis_text';
import type { ChartLine } from './chart_lines';
import { valueText } from './tooltip';
import type { View } from './view';

/** What is not said to rise falls; but of many numbers neither is better. */
const LESS_IS_BETTER = /(loss|error|err|perplexity|ppl|nll|mse|mae|wer|cer|fid)$/i;

type Extent = readonly [from: number, to: number];

function bestOf(best: string, at: number, axis: View['axis']): [string, string] {
  return [best, placeText(axis, at)];
}

function factsInView({ series, metric, goal }: ChartLine, { axis }: View, [from, to]: Extent) {
  const xs = series.xs(axis);
  const ys = series.ys(metric);
  const end = Math.min(ys.length, indexAfter(xs, to));
  const facts = factsOf(xs, ys, Math.min(indexOf(xs, from), end), end);
  if (!facts) return null;
  const text = (value: number) => valueText(metric, value);
  const [best, at] = goal === 'max' ? [facts.max, facts.maxAt] : [facts.min, facts.minAt];
  return {
    ...facts,
    best: goal === 'max' || LESS_IS_BETTER.test(metric) ? bestOf(text(best), at, axis) : null,
    min: text(facts.min),
    max: text(facts.max),
    last: text(facts.last),
  };
}

/** One sentence a line, about what is in view. */
export function sentencesOf(lines: readonly ChartLine[], view: View, extent: Extent): string[] {
  if (lines.every(({ series }) => series.length === 0)) return ['Waiting for the first point …'];
  return lines.map((line) => {
    const { label, metric } = line;
    const what = label === metric ? metric : `${metric} of ${label}`;
    return curveSentence(what, factsInView(line, view, extent));
  });
}
