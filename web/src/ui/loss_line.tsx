// SPDX-License-Identifier: MIT
//
// The loss line. uPlot owns a canvas and draws from the series' own arrays; React only says that the
// series has a new version. Colours are the style sheet's, read at each drawing, so a change of the
// colour scheme is one redraw.
import { useEffect, useLayoutEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { formatMetric } from '../proto/format';
import type { MetricName } from '../proto/metrics';
import type { Series } from '../session/series';
import { plotData, type Cells, type PlotData } from './plot_data';

interface LossLineProps {
  /** The same one as long as this is mounted. */
  readonly series: Series;
  readonly version: number;
}

const HEIGHT_PX = 300;

function colour(name: string): () => string {
  return () => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function newestIndex(column: Cells): number {
  let index = column.length - 1;
  while (index > 0 && column[index] === undefined) index--;
  return index;
}

/** What the legend says: the value under the cursor, or the newest when there is no cursor. */
function shown(name: MetricName): uPlot.Series.Value {
  return (plot, _, series, index) => {
    const column = plot.data[series] as Cells;
    const value = column[index ?? newestIndex(column)];
    return formatMetric(name, value === null ? NaN : value);
  };
}

/** Adds to the gaps of missing values those where something new began: a slit, to cut the line. */
function slits(breaksNow: () => readonly number[]): uPlot.Series.GapsRefiner {
  return (plot, _, __, ___, gaps) => {
    const cuts = breaksNow().map((x): [number, number] => {
      const at = plot.valToPos(x, 'x', true);
      return [at - 1, at + 1];
    });
    return [...gaps, ...cuts].sort(([a], [b]) => a - b);
  };
}

function line(label: string, stroke: string, gaps: uPlot.Series.GapsRefiner): uPlot.Series {
  const value = shown('loss');
  return { label, stroke: colour(stroke), width: 1.5, value, gaps, points: { show: false } };
}

function axis(values: uPlot.Axis['values'], size: number): uPlot.Axis {
  return {
    stroke: colour('--muted'),
    font: '12px system-ui, sans-serif',
    grid: { stroke: colour('--rule'), width: 1 },
    ticks: { show: false },
    size,
    ...(values && { values }),
  };
}

function options(
  width: number,
  legend: HTMLElement,
  data: PlotData,
  breaksNow: () => readonly number[],
): uPlot.Options {
  const gaps = slits(breaksNow);
  const name = data.axis === 'step' ? 'Step' : 'Record';
  const whole = (_: uPlot, splits: number[]) =>
    splits.map((at) => (Number.isInteger(at) ? formatMetric('currentStep', at) : ''));
  return {
    width,
    height: HEIGHT_PX,
    scales: { x: { time: false } },
    axes: [axis(whole, 32), axis(undefined, 52)],
    // No room above: the legend stands in the panel's own head.
    padding: [8, 12, 0, 0],
    legend: {
      // By name, not by value: a change of the colour scheme then needs no one's help.
      markers: { width: 0, fill: (_, i) => (i === 1 ? 'var(--line-train)' : 'var(--line-val)') },
      mount(_, element) {
        legend.append(element);
      },
    },
    cursor: { y: false, drag: { x: false, y: false } },
    series: [
      { label: name, value: shown('currentStep') },
      line('train', '--line-train', gaps),
      ...(data.hasValLoss ? [line('validation', '--line-val', gaps)] : []),
    ],
  };
}

function aligned(data: PlotData): uPlot.AlignedData {
  return [data.x, data.loss, ...(data.hasValLoss ? [data.valLoss] : [])];
}

export function LossLine({ series, version }: LossLineProps) {
  const box = useRef<HTMLDivElement>(null);
  const legend = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const shape = useRef('');

  useLayoutEffect(() => {
    const data = plotData(series.line());
    const wanted = `${data.axis} ${data.hasValLoss}`;
    if (plot.current && shape.current === wanted) {
      plot.current.setData(aligned(data));
      return;
    }
    plot.current?.destroy();
    if (!box.current || !legend.current) return;
    const wide = box.current.clientWidth;
    const breaksNow = () => series.line().breaks;
    const opts = options(wide, legend.current, data, breaksNow);
    plot.current = new uPlot(opts, aligned(data), box.current);
    shape.current = wanted;
  }, [series, version]);

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const sizes = new ResizeObserver(() => {
      plot.current?.setSize({ width: element.clientWidth, height: HEIGHT_PX });
    });
    sizes.observe(element);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const redraw = () => plot.current?.redraw(false, true);
    scheme.addEventListener('change', redraw);
    return () => {
      sizes.disconnect();
      scheme.removeEventListener('change', redraw);
      plot.current?.destroy();
      plot.current = null;
    };
  }, []);

  return (
    <section className="panel chart">
      <div className="chart-head">
        <h3>Loss</h3>
        <div ref={legend} className="legend" />
      </div>
      <div ref={box} className="plot" data-points={series.length} />
    </section>
  );
}
