// SPDX-License-Identifier: MIT
//
// The numbers of a run. A number the daemon worked out is marked, so that an invented perplexity is
// never taken for the trainer's.
import { formatMetric, formatOther } from '../proto/format';
import type { MetricName, Metrics, Other } from '../proto/metrics';
import { METRIC_LABELS } from './names';

const DERIVED_HINT = 'Worked out by the daemon: the trainer did not send it';

interface FiguresProps {
  readonly metrics: Metrics | null;
  readonly derived: readonly MetricName[];
}

interface FigureProps {
  readonly name: MetricName;
  readonly text: string;
  /** The part after a slash: of how many. */
  readonly of?: string;
  readonly derived: boolean;
}

function Figure({ name, text, of, derived }: FigureProps) {
  return (
    <div className={derived ? 'figure is-derived' : 'figure'} data-metric={name}>
      <dt>
        {METRIC_LABELS[name]}
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

const SHOWN: readonly { name: MetricName; of?: MetricName }[] = [
  { name: 'loss' },
  { name: 'perplexity' },
  { name: 'grokProgress' },
  { name: 'currentStep', of: 'totalSteps' },
  { name: 'currentModel', of: 'totalModels' },
  { name: 'estimatedTimeRemaining' },
  { name: 'trainingTime' },
  { name: 'modelParams' },
];

export function Figures({ metrics, derived }: FiguresProps) {
  const text = (name: MetricName) => formatMetric(name, metrics?.named[name]);
  return (
    <div className="figures-box">
      <dl className="figures">
        {SHOWN.map(({ name, of }) => (
          <Figure
            key={name}
            name={name}
            text={text(name)}
            {...(of && metrics?.named[of] !== undefined && { of: text(of) })}
            derived={derived.includes(name) && metrics?.named[name] !== undefined}
          />
        ))}
      </dl>
    </div>
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
