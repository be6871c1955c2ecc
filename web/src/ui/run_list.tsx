// SPDX-License-Identifier: MIT
//
// The runs, pinned ones first, then the newest. Each row is a link, so a run can be opened in a tab
// of its own; its box draws it over the others, its star keeps it.
import { memo, type MouseEvent } from 'react';
import { formatMetric } from '../proto/format';
import { overallProgress, type SessionStatus } from '../proto/session';
import { statusWords } from '../insight/wording';
import type { RunsState } from '../room/runs';
import { colourOf } from './colours';
import type { Controls } from './controls';
import { nameOf } from './names';
import { StatusIcon } from './status_icon';
import { MOST_RUNS, type Theme, type View } from './view';

interface RunListProps {
  readonly runs: RunsState;
  readonly view: View;
  readonly theme: Theme;
  readonly controls: Controls;
}

interface RowProps {
  readonly run: SessionStatus;
  readonly current: boolean;
  readonly drawn: boolean;
  readonly full: boolean;
  readonly colour: string;
  readonly href: string;
  readonly controls: Controls;
}

const Row = memo(function Row({ run, current, drawn, full, colour, href, controls }: RowProps) {
  const { text } = statusWords(run.status);
  const name = nameOf(run);
  function onClick(event: MouseEvent): void {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    controls.choose(run.sessionId);
  }
  return (
    <li
      className="row-box"
      data-drawn={drawn}
      style={{ borderLeftColor: drawn ? colour : 'transparent' }}
    >
      <input
        type="checkbox"
        className="row-check"
        checked={drawn}
        disabled={!drawn && full}
        style={{ accentColor: colour }}
        aria-label={`Draw ${name}`}
        onChange={() => {
          controls.overlay(run.sessionId);
        }}
      />
      <a href={href} className="row" aria-current={current ? 'true' : undefined} onClick={onClick}>
        <span className="row-name" title={run.sessionId}>
          {name}
        </span>
        <span className="row-number">{formatMetric('loss', run.metrics?.named.loss)}</span>
        <span className="row-sub muted">
          <StatusIcon status={run.status} />
          {text}
          {run.project !== '' && ` · ${run.project}`}
        </span>
        <span className="row-number muted">
          {formatMetric('overallProgress', overallProgress(run))}
        </span>
      </a>
      <button
        className="pin"
        aria-pressed={run.pinned}
        aria-label={`Pin ${name}`}
        title={run.pinned ? 'Pinned: kept for ever' : 'Pin: keep for ever'}
        onClick={() => {
          controls.pin(run.sessionId, !run.pinned);
        }}
      >
        {run.pinned ? '★' : '☆'}
      </button>
    </li>
  );
});

/** As the list shows them. */
export function inOrder(runs: readonly SessionStatus[]): readonly SessionStatus[] {
  return [...runs.filter(({ pinned }) => pinned), ...runs.filter(({ pinned }) => !pinned)];
}

export function RunList({ runs, view, theme, controls }: RunListProps) {
  const full = view.runs.length >= MOST_RUNS;
  return (
    <nav className="runs" aria-label="Runs">
      <h2 className="runs-title">
        Runs <span className="muted">{runs.total}</span>
      </h2>
      <input
        type="search"
        className="search"
        placeholder="Search name, project, config"
        aria-label="Search the runs"
        value={view.search}
        onChange={(event) => {
          controls.change({ search: event.target.value });
        }}
      />
      <ol className="rows">
        {inOrder(runs.runs).map((run) => (
          <Row
            key={run.sessionId}
            run={run}
            current={run.sessionId === view.runs[0]}
            drawn={view.runs.includes(run.sessionId)}
            full={full}
            colour={colourOf(run.sessionId, theme)}
            href={controls.addressOf(run.sessionId)}
            controls={controls}
          />
        ))}
      </ol>
      {runs.runs.length === 0 && <p className="muted small">No run has that in it.</p>}
      {runs.total > runs.runs.length && (
        <p className="muted small">The newest {runs.runs.length} are shown.</p>
      )}
    </nav>
  );
}
