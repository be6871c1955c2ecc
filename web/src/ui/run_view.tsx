// SPDX-License-Identifier: MIT
//
// One run: what it is, how far it is, its numbers, its line, and what happened to it.
import type { Series } from '../session/series';
import type { SessionState } from '../session/session';
import { eventWords, statusWords } from '../insight/wording';
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
function Status({ state, status }: { readonly state: SessionState; readonly status: string }) {
  const failure = state.notices.find(({ event }) => event.type === 'training_error');
  const words = status === 'failed' && failure ? eventWords(failure.event) : statusWords(status);
  const gone = state.known === 'no' && 'the daemon no longer has this run';
  return (
    <p className={`status ${words?.tone ?? 'plain'}`} data-status={status}>
      <i className={`dot ${words?.tone ?? 'plain'}`} aria-hidden="true" />
      <span>{[words?.text, gone].filter(Boolean).join(' · ')}</span>
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
        <Status state={state} status={session.status} />
      </section>
      <Progress run={session} />
      <Figures metrics={session.metrics} derived={session.derived} />
      <LossLine series={series} version={series.version} />
      <div className="pair">
        <Others others={session.metrics?.others ?? []} />
        <Notices notices={notices} />
      </div>
    </>
  );
}
