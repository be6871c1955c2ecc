// SPDX-License-Identifier: MIT
//
// How uPlot is set up for one chart. Of each line there are, in this order: the highest and the
// lowest of its band, when there are more points than pixels; the faint original, when it is
// smoothed; the line itself. A change of that shape makes a new plot, everything else new data.
import type uPlot from 'uplot';
import { CLOCK_STEPS, xText, yText } from './axis_text';
import type { ChartLine } from './chart_lines';
import { drawMarks } from './chart_marks';
import type { View } from './view';

export interface Shape {
  readonly banded: boolean;
  readonly smoothed: boolean;
}

export interface Callbacks {
  readonly xRange: () => [number, number];
  readonly yRange: () => [number, number];
  readonly onZoom: (from: number, to: number) => void;
  readonly onReset: () => void;
  readonly onCursor: (plot: uPlot) => void;
  /** Draws what is behind everything else. */
  readonly onClear: (plot: uPlot) => void;
}

export interface Ink {
  readonly text: string;
  readonly rule: string;
}

/** How far a drag must go to be one. */
const LEAST_DRAG_PX = 5;
/** Up to so many points each has a dot. */
const FEW_POINTS = 40;
const FONT = '12px system-ui, sans-serif';

export function perLine({ banded, smoothed }: Shape): number {
  return 1 + (banded ? 2 : 0) + (smoothed ? 1 : 0);
}

function faint(colour: string, alpha: string): string {
  return `${colour}${alpha}`;
}

function seriesOf({ colour, dash, label }: ChartLine, shape: Shape): uPlot.Series[] {
  const none = { show: false };
  const edge: uPlot.Series = { width: 0, points: none };
  const original: uPlot.Series = { stroke: faint(colour, '55'), width: 1, points: none };
  const dots = {
    show: (plot: uPlot) => plot.data[0].length <= FEW_POINTS,
    size: 5,
    fill: colour,
  };
  const line: uPlot.Series = { label, stroke: colour, width: 2, dash, points: dots };
  return [...(shape.banded ? [edge, edge] : []), ...(shape.smoothed ? [original] : []), line].map(
    (series) => ({ ...series }),
  );
}

function bandsOf(lines: readonly ChartLine[], shape: Shape): uPlot.Band[] {
  if (!shape.banded) return [];
  const each = perLine(shape);
  return lines.map(({ colour }, k) => ({
    series: [1 + k * each, 2 + k * each],
    fill: faint(colour, '26'),
  }));
}

function axes(view: View, ink: Ink): uPlot.Axis[] {
  const common: uPlot.Axis = {
    stroke: ink.text,
    font: FONT,
    grid: { stroke: ink.rule, width: 1 },
    ticks: { show: false },
  };
  const xs = (_: uPlot, splits: number[]) => {
    const apart = (splits[1] ?? 0) - (splits[0] ?? 0);
    return splits.map((at) => xText(view.axis, at, apart));
  };
  const ys = (_: uPlot, splits: (number | null)[]) =>
    splits.map((at) => (at === null ? '' : yText(at, view.log ? 2 : 6)));
  const isClock = view.axis !== 'step';
  return [
    { ...common, size: 28, space: 70, values: xs, ...(isClock && { incrs: CLOCK_STEPS }) },
    { ...common, size: 56, space: 36, values: ys },
  ];
}

/** A dot where the cursor meets a line; none on the edges of bands and what is faint. */
function cursorPoint(series: number, each: number): HTMLElement {
  const dot = document.createElement('div');
  dot.hidden = series % each !== 0;
  return dot;
}

function cursor({ onReset }: Callbacks, each: number): uPlot.Cursor {
  return {
    y: false,
    drag: { x: true, y: false, setScale: false, dist: LEAST_DRAG_PX },
    points: { show: (_, i) => cursorPoint(i, each) },
    // The crosshair is everybody's; a selection is the chart's own, and zooms them all.
    sync: {
      key: 'page',
      setSeries: false,
      scales: ['x', null],
      filters: { pub: (type) => type === 'mousemove' || type === 'mouseleave' },
    },
    bind: {
      dblclick: () => () => {
        onReset();
        return null;
      },
    },
  };
}

function onSelect(plot: uPlot, { onZoom }: Callbacks): void {
  const { left, width } = plot.select;
  if (width < LEAST_DRAG_PX) return;
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  onZoom(plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x'));
}

export function chartOptions(
  size: { readonly width: number; readonly height: number },
  lines: readonly ChartLine[],
  shape: Shape,
  view: View,
  ink: Ink,
  callbacks: Callbacks,
): uPlot.Options {
  return {
    ...size,
    padding: [8, 24, 0, 0],
    legend: { show: false },
    scales: {
      x: { time: false, range: () => callbacks.xRange() },
      // The enum is in the types alone: at run time there are only its numbers.
      // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment
      y: { distr: view.log ? 3 : 1, range: () => callbacks.yRange() },
    },
    axes: axes(view, ink),
    cursor: cursor(callbacks, perLine(shape)),
    series: [{}, ...lines.flatMap((line) => seriesOf(line, shape))],
    bands: bandsOf(lines, shape),
    hooks: {
      drawClear: [callbacks.onClear],
      draw: [
        (plot) => {
          drawMarks(plot, lines, perLine(shape));
        },
      ],
      setCursor: [callbacks.onCursor],
      setSelect: [
        (plot) => {
          onSelect(plot, callbacks);
        },
      ],
    },
  };
}
