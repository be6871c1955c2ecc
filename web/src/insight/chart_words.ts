// SPDX-License-Identifier: MIT
//
// A chart in a sentence, for whoever does not see it, or has no time to.

export interface CurveFacts {
  readonly min: string;
  readonly max: string;
  readonly last: string;
  readonly trend: 'falling' | 'rising' | 'flat';
  readonly diverged: boolean;
}

const TRENDS = { falling: 'falling', rising: 'rising', flat: 'steady' } as const;

export function curveSentence(what: string, facts: CurveFacts | null): string {
  if (!facts) return `${what}: nothing in view.`;
  const { min, max, last, trend, diverged } = facts;
  const broken = diverged ? ' Some values were not finite.' : '';
  return `${what}: last ${last}, ${TRENDS[trend]}; lowest ${min}, highest ${max}.${broken}`;
}
