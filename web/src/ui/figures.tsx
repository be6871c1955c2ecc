// SPDX-License-Identifier: MIT
//
// The numbers of a run. A number the daemon worked out is marked, so that an invented perplexity is
// never taken for the trainer's.
import { formatMetric, formatOther } from '../proto/format';
import type { Verdict } from '../proto/insight';
import type { MetricName, Other } from '../proto/metrics';
import { isOver, type SessionStatus } from '../proto/session';
import { METRIC_LABELS } from './names';
import { Best, Outlook, TimeLeft } from './outlook';

const DERIVED_HINT = 'Worked out by the daemon: the trainer did not send it';

interface FigureProps {
  readonly name: MetricName;
  readonly text: string;
  /** The part after a slash: of how many. */
  readonly of?: string;
  readonly derived: boolean;
  readonly label?: string;
}

function Figure({ name, text, of, derived, label = METRIC_LABELS[name] }: FigureProps) {
  return (
    <div className={derived ? 'figure is-derived' : 'figure'} data-metric={name}>
      <dt>
        {label}
        {derived && (
          <abbr className="derived" title={DERIVED_HINT}>
            derived
          </abbr>
        )}
      </dt>
      <dd>
        {text}
        {of !== undefined && <span className="of"> / {of}</span>}
      </dd>
    </div>
  );
}

interface Small {
  readonly name: MetricName;
  readonly of?: MetricName;
  readonly label?: string;
}

/** Beside the large ones, in one line. */
const SMALL: readonly Small[] = [
  { name: 'currentModel', of: 'totalModels' },
  { name: 'trainingTime' },
  { name: 'perplexity' },
  { name: 'grokProgress' },
  { name: 'modelParams' },
];

const ALL_MODELS: Small = { name: 'estimatedTimeRemaining', label: 'Time left, all models' };

/** What the daemon reckons of a sweep is of the model at hand: how long all take is said beside it. */
function modelOf({ currentModel, totalModels }: SessionStatus) {
  return totalModels > 1 ? { current: currentModel, total: totalModels } : null;
}

interface FiguresProps {
  readonly run: SessionStatus;
  /** What the daemon makes of it; null: nothing yet. */
  readonly verdict: Verdict | null;
}

export function Figures({ run, verdict }: FiguresProps) {
  const { metrics, derived } = run;
  const text = (name: MetricName) => formatMetric(name, metrics?.named[name]);
  const figure = (name: MetricName, of?: MetricName, label?: string) => (
    <Figure
      key={name}
      name={name}
      text={text(name)}
      {...(of && metrics?.named[of] !== undefined && { of: text(of) })}
      derived={derived.includes(name) && metrics?.named[name] !== undefined}
      {...(label !== undefined && { label })}
    />
  );
  const ofOne = run.eta !== null && !isOver(run.status) && modelOf(run) !== null;
  const small = ofOne ? [...SMALL, ALL_MODELS] : SMALL;
  const known = ({ name }: Small) => metrics?.named[name] !== undefined;
  return (
    <>
      <dl className="figures">
        {figure('loss')}
        <Best summary={run.summary} verdict={verdict} />
        {run.eta && !isOver(run.status) ? (
          <TimeLeft eta={run.eta} model={modelOf(run)} />
        ) : (
          figure('estimatedTimeRemaining')
        )}
        {figure('currentStep', 'totalSteps')}
        {verdict && <Outlook verdict={verdict} over={isOver(run.status)} />}
      </dl>
      <dl className="facts small">
        {small.filter(known).map(({ name, of, label }) => figure(name, of, label))}
      </dl>
    </>
  );
}

/** The trainer's other numbers, under the trainer's own names. */
export function Others({ others }: { readonly others: readonly Other[] }) {
  if (others.length === 0) return null;
  return (
    <section className="panel">
      <h3>Also sent by the trainer</h3>
      <dl className="others">
        {others.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{formatOther(value)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
