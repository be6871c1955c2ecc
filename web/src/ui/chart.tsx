// SPDX-License-Identifier: MIT
//
// One chart in its panel: a heading, the canvas, a sentence that says what it shows, and its numbers
// as a table when asked for. React sets it up, once for each look; what moves is the painter's.
import {
  memo,
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
  type KeyboardEvent,
} from 'react';
import type { Frames } from '../throttle/frame';
import type { ChartLine } from './chart_lines';
import { ChartMenu } from './chart_menu';
import { ChartPainter } from './chart_painter';
import type { ChartInput } from './chart_plot';
import { ChartTable } from './chart_table';
import { LineMark } from './line_mark';

export interface ChartProps extends ChartInput {
  readonly metric: string;
  readonly frames: Frames;
}

function isSame(a: ChartProps, b: ChartProps): boolean {
  const lines = (props: ChartProps) =>
    props.lines
      .map(({ label, metric, colour, goal }) => `${label}\n${metric}\n${colour}\n${goal}`)
      .join();
  return (
    a.view === b.view &&
    a.theme === b.theme &&
    a.metric === b.metric &&
    a.phases === b.phases &&
    a.all.length === b.all.length &&
    a.all.every((series, i) => series === b.all[i]) &&
    lines(a) === lines(b)
  );
}

/** The run, when all lines are of one. */
function onlyRun(lines: readonly ChartLine[]): string | undefined {
  const [first] = lines;
  return lines.every(({ run }) => run === first?.run) ? first?.run : undefined;
}

export const Chart = memo(function Chart(props: ChartProps) {
  const { metric, lines, frames, view } = props;
  const panel = useRef<HTMLElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  const says = useRef<HTMLElement>(null);
  const voice = useRef<HTMLParagraphElement>(null);
  const cut = useRef<HTMLSpanElement>(null);
  const painter = useRef<ChartPainter | null>(null);
  const newest = useRef(props);
  const caption = useId();
  const [table, setTable] = useState(false);
  const toggleTable = () => {
    setTable(!table);
  };

  useLayoutEffect(() => {
    newest.current = props;
    if (painter.current) painter.current.input = props;
  });

  useEffect(() => {
    const elements = [panel, box, tip, says, cut].map(({ current }) => current);
    const [panelNow, boxNow, tipNow, saysNow, cutNow] = elements;
    if (!panelNow || !boxNow || !tipNow || !saysNow || !cutNow) return;
    const parts = { panel: panelNow, box: boxNow, tip: tipNow, says: saysNow, cut: cutNow };
    const made = new ChartPainter(parts, newest.current);
    painter.current = made;
    const leave = frames.add(made.paint);
    return () => {
      leave();
      made.destroy();
      painter.current = null;
    };
  }, [frames]);

  const colours = lines.map(({ colour }) => colour).join(' ');
  const over = (is: boolean) => () => {
    if (tip.current) tip.current.dataset.over = is ? '1' : '';
  };
  const onKey = (event: KeyboardEvent) => {
    const { key, ctrlKey, metaKey, altKey } = event;
    const plot = painter.current?.plot;
    if (!plot || ctrlKey || metaKey || altKey) return;
    const words = plot.move(key);
    if (words !== null && voice.current) voice.current.textContent = words;
    if (words !== null || plot.zoom(key)) event.preventDefault();
    else if (key === 'Escape') plot.leave();
  };
  const look = () => {
    const plot = painter.current?.plot;
    if (!plot?.canvas) return null;
    return { content: { metric, lines, view, extent: plot.extent }, canvas: plot.canvas };
  };
  return (
    <figure ref={panel} className="panel chart" data-chart={metric}>
      <div className="chart-head">
        <h4>{metric}</h4>
        {lines.length > 1 && <Keys lines={lines} many={onlyRun(lines) === undefined} />}
        <span ref={cut} className="muted small" />
        <ChartMenu
          metric={metric}
          run={onlyRun(lines)}
          look={look}
          onTable={toggleTable}
          onFullScreen={() => void panel.current?.requestFullscreen()}
        />
      </div>
      <div
        className="plot-box"
        tabIndex={0}
        role="application"
        aria-roledescription="chart"
        aria-label={`${metric}: arrow keys read its points`}
        aria-describedby={caption}
        onKeyDown={onKey}
        onBlur={() => painter.current?.plot.leave()}
        onPointerEnter={over(true)}
        onPointerLeave={over(false)}
      >
        <div ref={box} className="plot" aria-hidden="true" data-colours={colours} />
        <div ref={tip} className="tip" aria-hidden="true" hidden />
      </div>
      <p ref={voice} className="unseen" aria-live="polite" />
      <figcaption id={caption} ref={says} className="muted small" />
      {table && (
        <ChartTable lines={lines} axis={view.axis} zoom={view.zoom} onClose={toggleTable} />
      )}
    </figure>
  );
}, isSame);

/** Which line is which, also by the number at its end. Of runs it is the same in each chart. */
function Keys({ lines, many }: { readonly lines: readonly ChartLine[]; many: boolean }) {
  return (
    <ol className={many ? 'keys of-runs small' : 'keys small'}>
      {lines.map((line, i) => (
        <li key={`${line.label} ${line.metric}`}>
          <LineMark {...line} />
          <b>{i + 1}</b> {line.label}
        </li>
      ))}
    </ol>
  );
}
