// SPDX-License-Identifier: MIT
//
// The runs, newest first. Each row is a link, so a run can be opened in a tab of its own.
import { memo, type MouseEvent } from 'react';
import { formatMetric } from '../proto/format';
import { overallProgress, type SessionStatus } from '../proto/session';
import { statusWords } from '../insight/wording';
import type { RunsState } from '../room/runs';
import { nameOf } from './names';

interface RunListProps {
  readonly runs: RunsState;
  readonly chosen: string;
  readonly addressOf: (run: string) => string;
  readonly onChoose: (run: string) => void;
}

interface RowProps {
  readonly run: SessionStatus;
  readonly current: boolean;
  readonly href: string;
  readonly onChoose: (run: string) => void;
}

const Row = memo(function Row({ run, current, href, onChoose }: RowProps) {
  const { text, tone } = statusWords(run.status);
  function onClick(event: MouseEvent): void {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    onChoose(run.sessionId);
  }
  return (
    <li>
      <a href={href} className="row" aria-current={current ? 'true' : undefined} onClick={onClick}>
        <span className="row-name" title={run.sessionId}>
          {nameOf(run)}
        </span>
        <span className="row-number">{formatMetric('loss', run.metrics?.named.loss)}</span>
        <span className="row-sub muted">
          <i className={`dot ${tone}`} aria-hidden="true" />
          {text}
          {run.project !== '' && ` · ${run.project}`}
        </span>
        <span className="row-number muted">
          {formatMetric('overallProgress', overallProgress(run))}
        </span>
      </a>
    </li>
  );
});

export function RunList({ runs, chosen, addressOf, onChoose }: RunListProps) {
  return (
    <nav className="runs" aria-label="Runs">
      <h2 className="runs-title">
        Runs <span className="muted">{runs.total}</span>
      </h2>
      <ol className="rows">
        {runs.runs.map((run) => (
          <Row
            key={run.sessionId}
            run={run}
            current={run.sessionId === chosen}
            href={addressOf(run.sessionId)}
            onChoose={onChoose}
          />
        ))}
      </ol>
      {runs.total > runs.runs.length && (
        <p className="muted small">The newest {runs.runs.length} are shown.</p>
      )}
    </nav>
  );
}
