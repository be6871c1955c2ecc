// SPDX-License-Identifier: MIT
//
// One run: what it is, how far it is, its numbers, its line, and what happened to it.
import type { SessionStatus } from '../proto/session';
import type { Series } from '../session/series';
import type { SessionState } from '../session/session';
import { statusWords } from '../insight/wording';
import { Figures, Others } from './figures';
import { LossLine } from './loss_line';
import { nameOf } from './names';
import { Notices } from './notices';
import { Progress } from './progress';

interface RunViewProps {
  readonly state: SessionState;
  readonly series: Series;
}

function Absent({ state }: { readonly state: SessionState }) {
  return (
    <section className="absent">
      <h2>{state.id}</h2>
      <p className="muted">
        {state.known === 'no'
          ? 'The daemon knows no run of this name. When one starts, it appears here.'
          : 'Asking the daemon for this run …'}
      </p>
    </section>
  );
}

/** The one line under the title that says how the run is. */
function Status({ state, session }: { readonly state: SessionState; session: SessionStatus }) {
  const { status, error } = session;
  const { text, tone } = statusWords(status);
  const why = status === 'failed' && error;
  const gone = state.known === 'no' && 'the daemon no longer has this run';
  return (
    <p className={`status ${tone}`} data-status={status}>
      <i className={`dot ${tone}`} aria-hidden="true" />
      <span>{[text, why, gone].filter(Boolean).join(' · ')}</span>
    </p>
  );
}

export function RunView({ state, series }: RunViewProps) {
  const { session, notices } = state;
  if (!session) return <Absent state={state} />;
  return (
    <>
      <section className="title">
        <h2>{nameOf(session)}</h2>
        <p className="muted small">
          {session.project !== '' && <span>{session.project} · </span>}
          <code>{session.sessionId}</code>
        </p>
        <Status state={state} session={session} />
      </section>
      <Progress run={session} />
      <Figures metrics={session.metrics} derived={session.derived} />
      <LossLine key={state.id} series={series} version={series.version} />
      <div className="pair">
        <Others others={session.metrics?.others ?? []} />
        <Notices notices={notices} />
      </div>
    </>
  );
}
