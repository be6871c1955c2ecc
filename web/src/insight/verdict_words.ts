// SPDX-License-Identifier: MIT
//
// What the daemon makes of a run, in words and figures. Nothing is decided here:
// how likely and how sure it is came over the wire.
import { formatMetric, percent, shortDuration } from '../proto/format';
import type { Eta } from '../proto/eta';
import type { Best } from '../proto/insight';

/** 0.044 is `+4.4 %`. */
export function velocityText(velocity: number | null): string {
  if (velocity === null) return percent(undefined);
  const text = percent(velocity * 100);
  return velocity > 0 ? `+${text}` : text;
}

/** A chance in whole percent, and never certain. */
export function chanceText(chance: number | null): string {
  if (chance === null) return percent(undefined);
  const whole = Math.round(chance * 100);
  if (whole < 1) return '< 1 %';
  return whole > 99 ? '> 99 %' : `${whole} %`;
}

/** The interval of the time to come: `1h 5m – 1h 50m`; null without one. */
export function intervalText({ earliest, latest }: Eta): string | null {
  if (earliest === null || latest === null) return null;
  const [from, to] = [shortDuration(earliest), shortDuration(latest)];
  return from === to ? null : `${from} – ${to}`;
}

/** How sure that is, and why: `High: steady epochs`. */
export function confidenceText({ confidence, reason }: Eta): string {
  return [confidence, reason].filter((word) => word !== '').join(': ');
}

/** `epoch 12`, or `step 3 000` in a run without epochs; empty when neither is known. */
export function placeText({ epoch, step }: Pick<Best, 'epoch' | 'step'>): string {
  if (epoch !== null) return `epoch ${formatMetric('currentStep', epoch)}`;
  return step === null ? '' : `step ${formatMetric('currentStep', step)}`;
}
