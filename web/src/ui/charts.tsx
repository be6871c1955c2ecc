// SPDX-License-Identifier: MIT
//
// All charts of the page, the loss first and large.
import type { Frames } from '../throttle/frame';
import { Chart } from './chart';
import { chartGroups, type DrawnRun } from './chart_lines';
import type { Theme, View } from './view';

export interface ChartsProps {
  readonly runs: readonly DrawnRun[];
  readonly view: View;
  readonly theme: Theme;
  readonly frames: Frames;
  readonly onZoom: (zoom: View['zoom']) => void;
}

export function Charts({ runs, view, theme, frames, onZoom }: ChartsProps) {
  const all = runs.map(({ series }) => series);
  const common = { all, view, theme, frames, onZoom };
  return (
    <>
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
