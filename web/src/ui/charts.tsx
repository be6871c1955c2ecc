// SPDX-License-Identifier: MIT
//
// All charts of the page, the loss first and large.
import type { PhaseMark } from '../proto/insight';
import { epochName } from '../session/axis';
import type { Frames } from '../throttle/frame';
import { Chart } from './chart';
import { chartGroups, type DrawnRun } from './chart_lines';
import type { Theme, View } from './view';

export interface ChartsProps {
  readonly runs: readonly DrawnRun[];
  /** Of the one run that is drawn; none of several. */
  readonly phases: readonly PhaseMark[];
  readonly view: View;
  readonly theme: Theme;
  readonly frames: Frames;
  readonly onZoom: (zoom: View['zoom']) => void;
}

/** Along the epochs only the runs that say their own can be drawn. */
function drawable(runs: readonly DrawnRun[], { axis }: View): readonly DrawnRun[] {
  return axis === 'epoch' ? runs.filter(({ series }) => epochName(series.names)) : runs;
}

export function Charts({ runs: open, phases, view, theme, frames, onZoom }: ChartsProps) {
  const runs = drawable(open, view);
  const known = open.some(({ series }) => series.length > 0);
  const all = runs.map(({ series }) => series);
  const common = { all, phases, view, theme, frames, onZoom };
  return (
    <>
      {runs.length === 0 && known && (
        <p className="muted">No run here says which epoch it is in.</p>
      )}
      {chartGroups(runs, theme).map(({ title, charts }) => (
        <section key={title} className="charts" aria-label={title === '' ? 'Charts' : title}>
          {title !== '' && <h3 className="group">{title}</h3>}
          {charts.map(({ metric, lines }) => (
            <Chart key={metric} metric={metric} lines={lines} {...common} />
          ))}
        </section>
      ))}
    </>
  );
}
