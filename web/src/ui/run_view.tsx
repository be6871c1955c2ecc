// SPDX-License-Identifier: MIT
//
// One run beside its charts: what it is, how far it is, its numbers, and what happened to it.
import type { SessionStatus } from '../proto/session';
import type { SessionState } from '../session/session';
import { stoppingOf, type Order } from '../room/order';
import { alertWords, phaseWords, statusWords } from '../insight/wording';
import { Figures, Others } from './figures';
import { nameOf } from './names';
import { Notices } from './notices';
import { Progress } from './progress';
import { StatusIcon } from './status_icon';
import { StopButton } from './stop_button';

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

/** Beside the title: how the run is, and why it is no more. */
function Status({ state, session }: { readonly state: SessionState; session: SessionStatus }) {
  const { status, error } = session;
  const { text, tone } = statusWords(status);
  const why = status === 'failed' && error;
  const gone = state.known === 'no' && 'the daemon no longer has this run';
  return (
    <p className={`status ${tone}`} data-status={status}>
      <StatusIcon status={status} />
      <span>{[text, why, gone].filter(Boolean).join(' · ')}</span>
    </p>
  );
}

/** What the run means, in the places that an interpreter will fill; plain facts until there is one. */
function Meaning({ session, now }: { readonly session: SessionStatus; readonly now: number }) {
  const alerts = alertWords(session, now);
  return (
    <dl className="meaning small">
      <div>
        <dt className="muted">Phase</dt>
        <dd data-phase>{phaseWords(session)}</dd>
      </div>
      <div>
        <dt className="muted">Alerts</dt>
        <dd data-alerts={alerts.length} className={alerts.length > 0 ? 'alerted' : 'muted'}>
          {alerts.length > 0 ? alerts.join(' · ') : 'None'}
        </dd>
      </div>
    </dl>
  );
}

interface HeroProps {
  readonly state: SessionState;
  /** The stop that was asked for here; undefined: none was. */
  readonly order: Order | undefined;
  readonly now: number;
  /** Null where nothing can be told to anybody. */
  readonly onStop: (() => void) | null;
}

/** The numbers of the run, above the charts. */
export function Hero({ state, order, now, onStop }: HeroProps) {
  const { session } = state;
  if (!session) return <Absent state={state} />;
  return (
    <>
      <section className="title">
        <div className="title-row">
          <h2>{nameOf(session)}</h2>
          <Status state={state} session={session} />
          {onStop && (
            <StopButton
              name={nameOf(session)}
              stopping={stoppingOf(session, order, now)}
              onStop={onStop}
            />
          )}
        </div>
        <p className="muted small">
          {session.project !== '' && <span>{session.project} · </span>}
          <code>{session.sessionId}</code>
        </p>
        <Meaning session={session} now={now} />
      </section>
      <Figures run={session} />
      <Progress run={session} />
    </>
  );
}

/** What else is known of it, below the charts. */
export function Details({ state }: { readonly state: SessionState }) {
  if (!state.session) return null;
  return (
    <div className="pair">
      <Others others={state.session.metrics?.others ?? []} />
      <Notices notices={state.notices} />
    </div>
  );
}
