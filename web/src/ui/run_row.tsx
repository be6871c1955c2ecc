// SPDX-License-Identifier: MIT
//
// One run in the list. The row is a link, so a run can be opened in a tab of its own; its box draws it
// over the others, its star keeps it.
import { memo, type MouseEvent } from 'react';
import { formatMetric } from '../proto/format';
import { overallProgress, type SessionStatus } from '../proto/session';
import { statusWords } from '../insight/wording';
import type { Controls } from './controls';
import { nameOf } from './names';
import { PhaseChip } from './phase_chip';
import { StatusIcon } from './status_icon';

interface RowProps {
  readonly run: SessionStatus;
  readonly current: boolean;
  readonly drawn: boolean;
  readonly full: boolean;
  readonly colour: string;
  readonly href: string;
  readonly controls: Controls;
}

export const RunRow = memo(function RunRow({
  run,
  current,
  drawn,
  full,
  colour,
  href,
  controls,
}: RowProps) {
  const { text } = statusWords(run.status);
  const name = nameOf(run);
  const isLive = run.status === 'running';
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
          {/* That it runs is in its sign, and a phase says more: the line is short. */}
          <span className={isLive && run.phase !== '' ? 'unseen' : undefined}>{text} </span>
          {run.phase !== '' && <PhaseChip phase={run.phase} brief />}
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
