// SPDX-License-Identifier: MIT
//
// The figures that the daemon reckons of a run: how good it was, how long it goes on, what it may
// still bring.
import type { Eta } from '../proto/eta';
import { formatMetric, formatOther, shortDuration } from '../proto/format';
import type { Verdict } from '../proto/insight';
import { valLossName } from '../proto/metrics';
import type { Summary } from '../proto/summary';
import {
  chanceText,
  confidenceText,
  intervalText,
  placeText,
  velocityText,
} from '../insight/verdict_words';

/** One number with its name, and what belongs to it in small. */
interface FactProps {
  readonly name: string;
  readonly label: string;
  readonly text: string;
  readonly of: string;
  /** Why, for who points at it. */
  readonly title?: string;
}

function Fact({ name, label, text, of, title }: FactProps) {
  return (
    <div className="figure" data-metric={name} title={title}>
      <dt>{label}</dt>
      <dd>
        {text}
        {of !== '' && <span className="of"> {of}</span>}
      </dd>
    </div>
  );
}

/** The best that the daemon saw of what is held out, or of the loss. */
function summed(summary: Summary | null): { name: string; best?: number; place: string } {
  const name = valLossName([...(summary?.keys() ?? [])]) ?? 'loss';
  const { best, bestStep } = summary?.get(name) ?? {};
  const place = placeText({ epoch: null, step: bestStep ?? null });
  return { name, place, ...(best !== undefined && { best }) };
}

interface BestProps {
  readonly summary: Summary | null;
  readonly verdict: Verdict | null;
}

/** The best of what is judged; of a run that is not, what its summary has. */
export function Best({ summary, verdict }: BestProps) {
  const judged = verdict?.best && {
    name: verdict.monitor,
    best: verdict.best.value,
    place: placeText(verdict.best),
  };
  const { name, best, place } = judged ?? summed(summary);
  const of = place === '' ? '' : `at ${place}`;
  return <Fact name="best" label={`Best ${name}`} text={formatMetric('loss', best)} of={of} />;
}

interface TimeLeftProps {
  readonly eta: Eta;
  /** Which of how many models it speaks of; null: the run has but one. */
  readonly model: { readonly current: number; readonly total: number } | null;
}

/** The daemon's own reckoning with its span, and how sure it is, and why. */
export function TimeLeft({ eta, model }: TimeLeftProps) {
  return (
    <Fact
      name="eta"
      label={model ? `Time left, model ${model.current} of ${model.total}` : 'Time left'}
      text={shortDuration(eta.seconds)}
      of={[intervalText(eta), confidenceText(eta)].filter(Boolean).join(', ')}
      title="Nine times of ten the end lies in this span"
    />
  );
}

/** How fast it learns, and what may be had of it still. */
export function Outlook({ verdict, over }: { readonly verdict: Verdict; readonly over: boolean }) {
  const { velocity, best, gain, gainClass, forecast, monitor } = verdict;
  // An interval this wide has no more digits to tell.
  const short = (value: number) => formatOther(Number(value.toPrecision(3)));
  return (
    <>
      <Fact
        name="velocity"
        label="Velocity"
        text={velocityText(velocity)}
        of={velocity !== null && best?.epoch !== null ? 'an epoch' : ''}
        title="Improvement; more than nothing is better"
      />
      {!over && gain !== null && (
        <Fact
          name="gain"
          label="Further gain"
          text={chanceText(gain)}
          of={gainClass.toLowerCase()}
          title="The chance that the best is still beaten by more than 0.5 %"
        />
      )}
      {!over && forecast && (
        <Fact
          name="forecast"
          label={`${monitor} at the end`}
          text={short(forecast.value)}
          of={`${short(forecast.lo)} – ${short(forecast.hi)}`}
          title="Nine times of ten it ends in this span"
        />
      )}
    </>
  );
}
