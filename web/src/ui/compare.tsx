// SPDX-License-Identifier: MIT
//
// The drawn runs as columns: where their configurations differ, and how far each metric is from the
// one that was chosen to compare with. Better and worse are said, and not only coloured.
import { formatOther, MISSING, percent } from '../proto/format';
import type { SessionStatus } from '../proto/session';
import { configRows, metricRows, type Cell } from '../room/compare';
import { colourOf } from './colours';
import type { Controls } from './controls';
import { nameOf } from './names';
import { StatusIcon } from './status_icon';
import type { Theme, View } from './view';

interface CompareProps {
  readonly runs: readonly SessionStatus[];
  readonly view: View;
  readonly theme: Theme;
  readonly controls: Controls;
}

function Heads({ runs, theme, controls, baseline }: CompareProps & { baseline: number }) {
  return (
    <thead>
      <tr>
        <td colSpan={2} />
        {runs.map((run, place) => (
          <th key={run.sessionId} scope="col">
            <span className="column-name" title={run.sessionId}>
              <i style={{ background: colourOf(run.sessionId, theme) }} aria-hidden="true" />
              <StatusIcon status={run.status} />
              {nameOf(run)}
            </span>
            <button
              className="base"
              aria-pressed={place === baseline}
              aria-label={`${place === baseline ? 'Baseline' : 'Compare with'} ${nameOf(run)}`}
              onClick={() => {
                controls.change({ baseline: run.sessionId });
              }}
            >
              {place === baseline ? 'Baseline' : 'Compare with'}
            </button>
          </th>
        ))}
      </tr>
    </thead>
  );
}

/** A difference of more digits than these is not read, only looked at. */
const DELTA_DIGITS = 3;

function Delta({ cell }: { readonly cell: Cell }) {
  const { delta, share, better } = cell;
  if (delta === undefined) return null;
  const sign = delta > 0 ? '+' : '';
  const word = better === undefined ? 'same' : better ? 'better' : 'worse';
  return (
    <span className={`delta ${word}`}>
      {sign}
      {formatOther(Number(delta.toPrecision(DELTA_DIGITS)))}
      {share !== undefined && ` (${sign}${percent(share * 100)})`} {word}
    </span>
  );
}

function Cells({ cells }: { readonly cells: readonly Cell[] }) {
  return cells.map((cell, place) => (
    <td key={place}>
      {cell.value === undefined ? MISSING : formatOther(cell.value)} <Delta cell={cell} />
    </td>
  ));
}

function ConfigBody({ runs, all }: { readonly runs: readonly SessionStatus[]; all: boolean }) {
  const rows = configRows(runs, all);
  return (
    <tbody>
      {rows.map(({ key, values, differs }) => (
        <tr key={key} className={differs ? 'differs' : ''}>
          <th scope="row" colSpan={2}>
            {key}
          </th>
          {values.map((value, place) => (
            <td key={place} className={value === undefined ? 'muted' : ''}>
              {value ?? 'not set'}
            </td>
          ))}
        </tr>
      ))}
      {rows.length === 0 && (
        <tr>
          <td colSpan={runs.length + 2} className="muted">
            Their configurations do not differ.
          </td>
        </tr>
      )}
    </tbody>
  );
}

function MetricBody({
  runs,
  baseline,
}: {
  readonly runs: readonly SessionStatus[];
  baseline: number;
}) {
  return metricRows(runs, baseline).map(({ name, last, best, goal }) => (
    <tbody key={name} data-compared={name}>
      <tr>
        <th scope="rowgroup" rowSpan={2}>
          {name}
        </th>
        <th scope="row" className="kind">
          last
        </th>
        <Cells cells={last} />
      </tr>
      <tr>
        <th scope="row" className="kind" title={goal === 'min' ? 'the lowest' : 'the highest'}>
          best
        </th>
        <Cells cells={best} />
      </tr>
    </tbody>
  ));
}

export function Compare(props: CompareProps) {
  const { runs, view, controls } = props;
  const chosen = runs.findIndex(({ sessionId }) => sessionId === view.baseline);
  const baseline = Math.max(0, chosen);
  return (
    <section className="compare" aria-label="Comparison">
      <div className="title-row">
        <h2>{runs.length} runs compared</h2>
        <label className="small">
          <input
            type="checkbox"
            checked={view.allKeys}
            onChange={(event) => {
              controls.change({ allKeys: event.target.checked });
            }}
          />{' '}
          All of their configuration
        </label>
        <button
          className="spring-left"
          onClick={() => {
            controls.change({ compare: false });
          }}
        >
          Back to one run
        </button>
      </div>
      <div className="table-scroll" tabIndex={0} role="region" aria-label="Comparison table">
        <table>
          <Heads {...props} baseline={baseline} />
          <ConfigBody runs={runs} all={view.allKeys} />
          <MetricBody runs={runs} baseline={baseline} />
        </table>
      </div>
    </section>
  );
}
