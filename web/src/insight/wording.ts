// SPDX-License-Identifier: MIT
//
// What the page says in words about a run. Wording only: nothing here decides anything.
import type { WireOrder } from '../proto/control';
import type { ServerEvent } from '../proto/events';
import { count } from '../proto/format';
import type { DaemonStats } from '../proto/stats';
import { isOver, type SessionStatus } from '../proto/session';
import { phaseLabel, sentenceCase } from './phases';

export interface Words {
  readonly text: string;
  readonly tone: 'good' | 'bad' | 'plain';
}

const STATUS: Readonly<Record<string, Words>> = {
  starting: { text: 'Starting', tone: 'plain' },
  running: { text: 'Running', tone: 'good' },
  paused: { text: 'Paused', tone: 'plain' },
  completed: { text: 'Completed', tone: 'plain' },
  stopped: { text: 'Stopped', tone: 'plain' },
  failed: { text: 'Failed', tone: 'bad' },
};

/** A status this page has no word for is shown as the daemon sent it. */
export function statusWords(status: string): Words {
  return STATUS[status] ?? { text: status, tone: 'plain' };
}

/** "Pause: no answer" */
function orderWords({ command, knob, state, reason, answer }: WireOrder): Words {
  const what = knob === '' ? sentenceCase(command) : `Set ${knob}`;
  const why = state === 'told' ? reason : answer;
  const said = state === 'unanswered' ? 'no answer' : state;
  const tone = state === 'unanswered' || state === 'refused' ? 'bad' : 'plain';
  return { text: `${what}: ${said}${why === '' ? '' : ` (${why})`}`, tone };
}

/** One sentence for an event a person wants to hear of; null for the others. */
export function eventWords(event: ServerEvent): Words | null {
  switch (event.type) {
    case 'model_completed':
      return {
        text: `Model ${event.modelIndex + 1} of ${event.totalModels} completed`,
        tone: 'good',
      };
    case 'training_completed':
      return { text: 'Training completed', tone: 'good' };
    case 'training_error':
      return {
        text: event.error === '' ? 'Training failed' : `Training failed: ${event.error}`,
        tone: 'bad',
      };
    case 'phase_changed': {
      const { text, emoji } = phaseLabel(event.to);
      const why = event.reason === '' ? '' : `: ${event.reason}`;
      return { text: `${emoji} ${text}${why}`.trim(), tone: 'plain' };
    }
    case 'alert': {
      const { kind, severity, evidence } = event.finding;
      const text = kind === 'stop' ? 'Stopping is advised' : sentenceCase(kind);
      return { text: `${text}: ${evidence}`, tone: severity === 'info' ? 'plain' : 'bad' };
    }
    case 'control':
      return orderWords(event.order);
    case 'session_cleanup':
      return { text: 'The daemon has put this run away', tone: 'plain' };
    default:
      return null;
  }
}

/** Where the run stands, as a plain fact. */
export function placeWords(run: SessionStatus): string {
  const { text } = statusWords(run.status);
  const { currentStep, totalSteps } = run.metrics?.named ?? {};
  const model = run.totalModels > 1 ? ` model ${run.currentModel} of ${run.totalModels}` : '';
  const of = totalSteps === undefined ? '' : ` of ${count(totalSteps)}`;
  const step = currentStep === undefined ? '' : `, step ${count(currentStep)}${of}`;
  return isOver(run.status) ? text : `${text}${model}${step}`;
}

/** How much of what is recorded the page is told live; null when it is told everything. */
export function throttleWords(
  rates: { readonly recorded: number; readonly told: number } | null,
): string | null {
  if (rates === null || rates.recorded < 1.25 * rates.told) return null;
  const whole = (rate: number) => count(Math.round(rate));
  return `${whole(rates.recorded)} points/s, ${whole(rates.told)} told live`;
}

/** What the daemon has dropped of all runs; null when nothing. */
export function droppedWords(stats: DaemonStats | null): string | null {
  if (!stats) return null;
  const words = [
    [stats.recordsNotKept, 'points not kept'],
    [stats.linesRefused, 'lines refused'],
    [stats.valuesIgnored, 'values ignored'],
  ] as const;
  const some = words.filter(([number]) => number > 0);
  return some.length === 0 ? null : some.map(([n, what]) => `${count(n)} ${what}`).join(', ');
}
