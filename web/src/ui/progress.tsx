// SPDX-License-Identifier: MIT
//
// How far a run is: one bar for the whole, and below it one segment a model, since "model 2 of 3,
// half-way" is what people ask.
import { formatMetric } from '../proto/format';
import type { MetricName } from '../proto/metrics';
import { overallProgress, type SessionStatus } from '../proto/session';

/** Above this many the segments would be hairlines. */
const MOST_SEGMENTS = 24;

function clampPercent(value: number | undefined): number {
  return value !== undefined && value > 0 ? Math.min(value, 100) : 0;
}

/** How full the segment of each model is, in percent. */
export function segments(run: SessionStatus): number[] {
  const { currentStep, totalSteps } = run.metrics?.named ?? {};
  const inModel =
    currentStep !== undefined && totalSteps ? clampPercent((currentStep / totalSteps) * 100) : 0;
  return Array.from({ length: Math.max(1, Math.trunc(run.totalModels)) }, (_, index) => {
    if (index < run.modelsCompleted) return 100;
    return index === run.currentModel - 1 ? inModel : 0;
  });
}

interface ProgressProps {
  readonly run: SessionStatus;
}

export function Progress({ run }: ProgressProps) {
  const overall = overallProgress(run);
  const percent = clampPercent(overall);
  const text = formatMetric('overallProgress', overall);
  const isDerived = run.derived.includes('overallProgress' satisfies MetricName);
  return (
    <section className="progress" aria-label="Progress">
      <div className="progress-head">
        <span className="muted">
          Overall progress{isDerived && <abbr className="derived">derived</abbr>}
        </span>
        <b data-metric="overallProgress">{text}</b>
      </div>
      <div
        className="track"
        role="progressbar"
        aria-label="Overall progress"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(percent)}
      >
        <div className="fill" style={{ width: `${percent}%` }} />
      </div>
      {run.totalModels > 1 && run.totalModels <= MOST_SEGMENTS && (
        <ol className="segments">
          {segments(run).map((full, index) => (
            <li key={index} data-full={full === 100} title={`Model ${index + 1}`}>
              <div className="track thin">
                <div className="fill" style={{ width: `${full}%` }} />
              </div>
              <span className="muted small">Model {index + 1}</span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
