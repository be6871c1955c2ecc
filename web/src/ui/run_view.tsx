// SPDX-License-Identifier: MIT
//
// One run beside its charts: what it is, how far it is, its numbers, and what happened to it.
import type { PhaseMark } from '../proto/insight';
import type { SessionStatus } from '../proto/session';
import type { SessionState } from '../session/session';
import { stoppingOf, type Order } from '../room/order';
import type { Story } from '../insight/story';
import { statusWords } from '../insight/wording';
import { Figures, Others } from './figures';
import type { Controls } from './controls';
import { Meaning } from './meaning';
import { nameOf } from './names';
import { Notices } from './notices';
import { Progress } from './progress';
import { StatusIcon } from './status_icon';
import { Phases } from './phases';
import { StopButton } from './stop_button';
import type { View } from './view';

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

interface HeroProps {
  readonly state: SessionState;
  readonly story: Story;
  readonly view: View;
  readonly controls: Controls;
  /** The stop that was asked for here; undefined: none was. */
  readonly order: Order | undefined;
  readonly now: number;
  /** Null where nothing can be told to anybody. */
  readonly onStop: (() => void) | null;
}

/** The numbers of the run, above the charts. */
export function Hero({ state, story, view, controls, order, now, onStop }: HeroProps) {
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
        <Meaning
          session={session}
          verdict={story.verdict}
          view={view}
          controls={controls}
          now={now}
        />
      </section>
      <Figures run={session} verdict={story.verdict} />
      <Progress run={session} />
    </>
  );
}

interface DetailsProps {
  readonly state: SessionState;
  readonly phases: readonly PhaseMark[];
}

/** What else is known of it, below the charts. */
export function Details({ state, phases }: DetailsProps) {
  if (!state.session) return null;
  return (
    <div className="pair">
      <Others others={state.session.metrics?.others ?? []} />
      <Phases phases={phases} />
      <Notices notices={state.notices} />
    </div>
  );
}
