// SPDX-License-Identifier: MIT
//
// What is known of the meaning of one run: a pure reducer. The daemon's answer is the whole truth;
// between two answers events move it on, so that a change is seen at once and a reload shows the same.
import type { ServerEvent } from '../proto/events';
import type { Finding, InsightAnswer, PhaseMark, Verdict } from '../proto/insight';

export interface Story {
  /** Null while the daemon makes nothing of the run. */
  readonly verdict: Verdict | null;
  /** Oldest first; of those that came live the offset is the newest that was known then. */
  readonly phases: readonly PhaseMark[];
}

export const untold: Story = { verdict: null, phases: [] };

/** A run that changes its phase oftener than this has more to say than a chart can show. */
export const MOST_PHASES = 256;

function isSame(a: PhaseMark, b: PhaseMark | undefined): boolean {
  return a.phase === b?.phase && a.offset === b.offset;
}

/** The daemon's answer takes the place of everything; phases that are the same stay the same array. */
export function onInsight(story: Story, { verdict, phases }: InsightAnswer): Story {
  const newest = phases.slice(-MOST_PHASES);
  const old = story.phases;
  const same = newest.length === old.length && newest.every((mark, i) => isSame(mark, old[i]));
  return { verdict, phases: same ? old : newest };
}

function withFinding(findings: readonly Finding[], finding: Finding): readonly Finding[] {
  return [...findings.filter(({ kind }) => kind !== finding.kind), finding];
}

function onAlert(story: Story, finding: Finding, why: string): Story {
  const { verdict } = story;
  if (!verdict) return story;
  if (finding.kind === 'stop') {
    const stop = { ...verdict.stop, recommend: true, why };
    return { ...story, verdict: { ...verdict, stop } };
  }
  return {
    ...story,
    verdict: { ...verdict, findings: withFinding(verdict.findings, finding) },
  };
}

/** `newest`: the offset of the newest record that is known here. */
export function onStoryEvent(story: Story, event: ServerEvent, newest: number): Story {
  switch (event.type) {
    case 'insight':
      return { ...story, verdict: event.verdict };
    case 'alert':
      return onAlert(story, event.finding, event.why);
    case 'phase_changed': {
      const { to: phase, reason, step, epoch, at } = event;
      const mark = { phase, step, epoch, at, offset: Math.max(0, newest) };
      const verdict = story.verdict && { ...story.verdict, phase, reason };
      return { verdict, phases: [...story.phases, mark].slice(-MOST_PHASES) };
    }
    default:
      return story;
  }
}
