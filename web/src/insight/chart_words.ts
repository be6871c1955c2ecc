// SPDX-License-Identifier: MIT
//
// A chart in a sentence, for whoever does not see it, or has no time to.

/** Of one curve, all but the trend as text. */
export interface CurveFacts {
  readonly last: string;
  readonly trend: 'falling' | 'rising' | 'flat';
  /** The best, and where it is; null where neither more nor less is better. */
  readonly best: readonly [value: string, place: string] | null;
  readonly min: string;
  readonly max: string;
  readonly diverged: boolean;
}

const TRENDS = { falling: 'falling', rising: 'rising', flat: 'steady' } as const;

export function curveSentence(what: string, facts: CurveFacts | null): string {
  if (!facts) return `${what}: nothing in view.`;
  const { last, trend, best, min, max, diverged } = facts;
  const broken = diverged ? ' Some values were not finite.' : '';
  const bestPart = best ? `; best ${best.join(' at ')}` : '';
  return `${what}: last ${last}, ${TRENDS[trend]}${bestPart}; from ${min} to ${max}.${broken}`;
}
