// SPDX-License-Identifier: MIT
//
// What is under the cursor: the value of every run there, the nearest to the cursor first. It is
// written straight into the document: a cursor moves faster than React needs to know.
import type uPlot from 'uplot';
import { formatMetric, formatOther } from '../proto/format';
import { indexOf } from '../session/grid';
import { placeText } from './axis_text';
import type { ChartLine } from './chart_lines';
import { lineMark } from './line_mark';
import type { View } from './view';

interface Row {
  readonly line: ChartLine;
  readonly value: number;
  readonly distance: number;
}

/** How far around the cursor a value is looked for, in points: others have metrics of their own. */
const REACH = 400;

export function valueText(metric: string, value: number): string {
  const number = Number.isFinite(value) ? value : NaN;
  return metric === 'loss' ? formatMetric('loss', number) : formatOther(number);
}

/** The value of a line that is nearest to a place; undefined when there is none near. */
export function valueAt({ series, metric }: ChartLine, view: View, x: number): number | undefined {
  const xs = series.xs(view.axis);
  const ys = series.ys(metric);
  const middle = indexOf(xs, x);
  for (let reach = 0; reach <= REACH; reach++) {
    const [before, behind] = [middle - 1 - reach, middle + reach].map((i) => ({
      value: ys[i] ?? NaN,
      away: Math.abs((xs[i] ?? Infinity) - x),
    }));
    const found = [before, behind].filter((at) => at && !Number.isNaN(at.value));
    const [first] = found.sort((a, b) => (a?.away ?? 0) - (b?.away ?? 0));
    if (first) return first.value;
  }
  return undefined;
}

function rowsAt(plot: uPlot, lines: readonly ChartLine[], view: View, x: number): Row[] {
  const top = plot.cursor.top ?? 0;
  return lines
    .flatMap((line) => {
      const value = valueAt(line, view, x);
      if (value === undefined) return [];
      const distance = Number.isFinite(value)
        ? Math.abs(plot.valToPos(value, 'y') - top)
        : Infinity;
      return [{ line, value, distance }];
    })
    .sort((a, b) => a.distance - b.distance);
}

function rowElement({ line, value }: Row): HTMLElement {
  const row = document.createElement('div');
  const mark = lineMark(line);
  const label = document.createElement('span');
  label.textContent = line.label;
  const number = document.createElement('b');
  number.textContent = valueText(line.metric, value);
  row.append(mark, label, number);
  return row;
}

/** Fills and places the tooltip of the chart that the pointer is over, and hides it elsewhere. */
export function showTooltip(
  box: HTMLElement,
  plot: uPlot,
  lines: readonly ChartLine[],
  view: View,
): void {
  const { left = -1 } = plot.cursor;
  const rows =
    left < 0 || box.dataset.over !== '1' ? [] : rowsAt(plot, lines, view, plot.posToVal(left, 'x'));
  box.hidden = rows.length === 0;
  if (box.hidden) return;
  const head = document.createElement('div');
  head.className = 'tip-head';
  head.textContent = placeText(view.axis, plot.posToVal(left, 'x'));
  box.replaceChildren(head, ...rows.map(rowElement));
  // On the side of the cursor where there is room.
  const { width } = plot.over.getBoundingClientRect();
  const at = plot.over.offsetLeft + left;
  box.style.left = left < width / 2 ? `${at + 14}px` : '';
  box.style.right = left < width / 2 ? '' : `${plot.root.clientWidth - at + 14}px`;
}
