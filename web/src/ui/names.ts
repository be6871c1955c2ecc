// SPDX-License-Identifier: MIT
//
// What things are called on the page.
import type { MetricName } from '../proto/metrics';
import type { SessionStatus } from '../proto/session';

/** A run by its name, else by its id. */
export function nameOf(run: SessionStatus): string {
  return run.name === '' ? run.sessionId : run.name;
}

export const METRIC_LABELS: Readonly<Record<MetricName, string>> = {
  loss: 'Loss',
  perplexity: 'Perplexity',
  grokProgress: 'Grok progress',
  modelParams: 'Parameters',
  currentStep: 'Step',
  totalSteps: 'Steps',
  currentModel: 'Model',
  totalModels: 'Models',
  overallProgress: 'Overall',
  trainingTime: 'Training time',
  estimatedTimeRemaining: 'Time left',
  timestamp: 'Time',
};
