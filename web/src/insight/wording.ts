// SPDX-License-Identifier: MIT
//
// What the page says in words about a run. Wording only: nothing here decides anything.
import type { ServerEvent } from '../proto/events';

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
    case 'session_cleanup':
      return { text: 'The daemon has put this run away', tone: 'plain' };
    default:
      return null;
  }
}
