// SPDX-License-Identifier: MIT
//
// What the run means: its phase and why, and what stands against it. Where the daemon makes nothing of
// it yet, plain facts stand in the same places.
import type { Verdict } from '../proto/insight';
import type { SessionStatus } from '../proto/session';
import { alertsOf } from '../insight/alerts';
import { placeWords } from '../insight/wording';
import { Alerts } from './alerts';
import type { Controls } from './controls';
import { PhaseChip } from './phase_chip';
import { withDismissed, type View } from './view';

interface MeaningProps {
  readonly session: SessionStatus;
  readonly verdict: Verdict | null;
  readonly view: View;
  readonly controls: Controls;
  readonly now: number;
}

/** The verdict's own words, or those of the status while the verdict is under way. */
function Phase({ session, verdict }: Pick<MeaningProps, 'session' | 'verdict'>) {
  const { phase, reason } = verdict ?? { phase: session.phase, reason: session.phaseReason };
  if (phase === '') return <dd data-phase="">{placeWords(session)}</dd>;
  return (
    <dd data-phase={phase}>
      <PhaseChip phase={phase} /> {reason}
      {verdict && verdict.advice !== '' && <span className="muted"> · {verdict.advice}</span>}
    </dd>
  );
}

export function Meaning({ session, verdict, view, controls, now }: MeaningProps) {
  return (
    <dl className="meaning">
      <dt className="muted small">Phase</dt>
      <Phase session={session} verdict={verdict} />
      <dt className="muted small">Alerts</dt>
      <dd>
        <Alerts
          alerts={alertsOf(session, verdict, now)}
          dismissed={view.dismissed}
          onDismiss={(key) => {
            controls.change(withDismissed(view, key));
          }}
          onRestore={() => {
            controls.change({ dismissed: [] });
          }}
        />
      </dd>
    </dl>
  );
}
