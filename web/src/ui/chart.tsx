// SPDX-License-Identifier: MIT
//
// One chart in its panel: a heading, the canvas, a sentence that says what it shows, and its numbers
// as a table when asked for. React sets it up; what moves is written by `paint`, in the frame that
// all charts share, and only while the chart is in sight.
import { memo, useEffect, useLayoutEffect, useRef } from 'react';
import { curveSentence } from '../insight/chart_words';
import { factsOf } from '../session/facts';
import type { Frames } from '../throttle/frame';
import type { ChartLine } from './chart_lines';
import { ChartPlot, type ChartInput } from './chart_plot';
import { ChartTable } from './chart_table';
import { valueText } from './tooltip';

export interface ChartProps extends ChartInput {
  readonly metric: string;
  readonly frames: Frames;
}

/** How often the sentence is written anew: nobody reads faster. */
const SENTENCE_MS = 1000;

function sentenceOf(line: ChartLine, input: ChartInput, view: readonly [number, number]): string {
  const { series, metric, label } = line;
  const facts = factsOf(series.xs(input.view.axis), series.ys(metric), ...view);
  const text = (value: number) => valueText(metric, value);
  const words = facts && {
    ...facts,
    min: text(facts.min),
    max: text(facts.max),
    last: text(facts.last),
  };
  return curveSentence(label === metric ? metric : `${metric} of ${label}`, words);
}

function isSame(a: ChartProps, b: ChartProps): boolean {
  const lines = (props: ChartProps) =>
    props.lines.map(({ label, metric, colour }) => `${label}\n${metric}\n${colour}`).join();
  return (
    a.view === b.view &&
    a.theme === b.theme &&
    a.metric === b.metric &&
    a.all.length === b.all.length &&
    a.all.every((series, i) => series === b.all[i]) &&
    lines(a) === lines(b)
  );
}

export const Chart = memo(function Chart(props: ChartProps) {
  const { metric, lines, frames, view } = props;
  const panel = useRef<HTMLElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  const says = useRef<HTMLElement>(null);
  const cut = useRef<HTMLSpanElement>(null);
  const plot = useRef<ChartPlot | null>(null);
  const newest = useRef(props);
  const repaint = useRef<() => void>(() => undefined);

  useLayoutEffect(() => {
    newest.current = props;
    if (plot.current) plot.current.input = props;
    repaint.current();
  });

  useEffect(() => {
    if (!box.current || !tip.current || !panel.current) return;
    const [canvas, bubble] = [box.current, tip.current];
    const drawn = new ChartPlot(canvas, bubble, newest.current);
    plot.current = drawn;
    let seen = false;
    let saidAt = -Infinity;
    let isOld = true;
    function paint(now: number): void {
      if (!seen) return;
      const outside = drawn.draw();
      if (outside !== null) {
        isOld = true;
        const { all } = newest.current;
        canvas.dataset.points = String(all.reduce((n, series) => n + series.length, 0));
        if (cut.current) cut.current.textContent = outside > 0 ? `${outside} beyond the edge` : '';
      }
      if (!isOld || now - saidAt < SENTENCE_MS) return;
      [saidAt, isOld] = [now, false];
      const input = newest.current;
      const [first = '', ...rest] = input.lines.map((l) => sentenceOf(l, input, drawn.extent));
      if (says.current) says.current.replaceChildren(first, hidden(rest.join(' ')));
    }
    const sight = new IntersectionObserver(([entry]) => {
      seen = entry?.isIntersecting === true;
      paint(performance.now());
    });
    sight.observe(panel.current);
    repaint.current = () => {
      paint(performance.now());
    };
    const sizes = new ResizeObserver(repaint.current);
    sizes.observe(canvas);
    const leave = frames.add(paint);
    return () => {
      leave();
      sight.disconnect();
      sizes.disconnect();
      drawn.destroy();
      plot.current = null;
      repaint.current = () => undefined;
    };
  }, [frames]);

  const colours = lines.map(({ colour }) => colour).join(' ');
  const over = (is: boolean) => () => {
    if (tip.current) tip.current.dataset.over = is ? '1' : '';
  };
  return (
    <figure ref={panel} className="panel chart" data-chart={metric}>
      <div className="chart-head">
        <h4>{metric}</h4>
        {lines.length > 1 && <Keys lines={lines} />}
        <span ref={cut} className="muted small" />
      </div>
      <div className="plot-box" onPointerEnter={over(true)} onPointerLeave={over(false)}>
        <div ref={box} className="plot" aria-hidden="true" data-colours={colours} />
        <div ref={tip} className="tip" hidden />
      </div>
      <figcaption ref={says} className="muted small" />
      <ChartTable lines={lines} axis={view.axis} zoom={view.zoom} />
    </figure>
  );
}, isSame);

function hidden(text: string): HTMLElement {
  const element = document.createElement('span');
  element.className = 'unseen';
  element.textContent = text;
  return element;
}

/** Which line is which. */
function Keys({ lines }: { readonly lines: readonly ChartLine[] }) {
  return (
    <ul className="keys small">
      {lines.map(({ label, metric, colour, dash }) => (
        <li key={`${label} ${metric}`}>
          <i
            style={{ borderTopColor: colour, borderTopStyle: dash.length > 0 ? 'dashed' : 'solid' }}
          />
          {label}
        </li>
      ))}
    </ul>
  );
}
