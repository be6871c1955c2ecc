// SPDX-License-Identifier: MIT
//
// The numbers of a chart as a table, as they are when it is opened: whoever cannot see curves reads these,
// and so does whoever wants to copy one.
import type { Axis } from '../session/axis';
import { AXIS_NAMES, placeText } from './axis_text';
import type { ChartLine } from './chart_lines';
import { valueText } from './tooltip';
import type { View } from './view';

interface ChartTableProps {
  readonly lines: readonly ChartLine[];
  readonly axis: Axis;
  readonly zoom: View['zoom'];
  readonly onClose: () => void;
}

const MOST_ROWS = 40;

/** Rows of one line, evenly chosen, the last one always. */
export function tableRows(line: ChartLine, axis: Axis, zoom: View['zoom']): [number, number][] {
  const xs = line.series.xs(axis);
  const ys = line.series.ys(line.metric);
  const [from, to] = zoom ?? [-Infinity, Infinity];
  const rows: [number, number][] = [];
  for (let i = 0; i < ys.length; i++) {
    const x = xs[i] as number;
    if (!Number.isNaN(ys[i]) && x >= from && x <= to) rows.push([x, ys[i] as number]);
  }
  const every = Math.ceil(rows.length / MOST_ROWS);
  return rows.filter((_, i) => (rows.length - 1 - i) % every === 0);
}

export function ChartTable({ lines, axis, zoom, onClose }: ChartTableProps) {
  return (
    <div className="table small">
      <div className="table-box" tabIndex={0} role="region" aria-label="Values">
        {lines.map((line) => (
          <table key={`${line.label} ${line.metric}`}>
            <caption>{line.label}</caption>
            <thead>
              <tr>
                <th scope="col">{AXIS_NAMES[axis]}</th>
                <th scope="col">{line.metric}</th>
              </tr>
            </thead>
            <tbody>
              {tableRows(line, axis, zoom).map(([x, y], i) => (
                <tr key={i}>
                  <td>{placeText(axis, x)}</td>
                  <td>{valueText(line.metric, y)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        ))}
      </div>
      <button onClick={onClose}>Close the table</button>
    </div>
  );
}
