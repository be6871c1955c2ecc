// SPDX-License-Identifier: MIT
//
// The nine phases as a person reads them. Which one a run is in, and why, the daemon says; the words
// and signs are those of its own table (insight/phase.h), and a test holds the two together.

export type PhaseTone = 'plain' | 'good' | 'steady' | 'warn' | 'bad';

export interface PhaseWords {
  /** `Overfitting risk` */
  readonly text: string;
  readonly emoji: string;
  readonly tone: PhaseTone;
}

const SIGNS: Readonly<Record<string, readonly [emoji: string, tone: PhaseTone]>> = {
  INITIALIZING: ['🟡', 'plain'],
  WARMUP: ['🟡', 'plain'],
  LEARNING_FAST: ['🟢', 'good'],
  STABLE_CONVERGENCE: ['🔵', 'steady'],
  PLATEAU: ['🟠', 'warn'],
  OVERFITTING_RISK: ['🔴', 'bad'],
  DIVERGING: ['💥', 'bad'],
  CONVERGED: ['✅', 'good'],
  CRASHED: ['💥', 'bad'],
};

export const PHASES: readonly string[] = Object.keys(SIGNS);

/** LEARNING_FAST, or a metric's or a finding's name, as a person writes it. */
export function sentenceCase(name: string): string {
  const words = name.toLowerCase().replace(/_/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A phase that this page does not know is shown as the daemon calls it. */
export function phaseLabel(phase: string): PhaseWords {
  const [emoji, tone] = SIGNS[phase] ?? ['', 'plain'];
  return { text: sentenceCase(phase), emoji, tone };
}
