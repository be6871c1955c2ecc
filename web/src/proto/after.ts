// SPDX-License-Identifier: MIT
//
// What an event says about the status a daemon would answer now. The daemon does not send a new
// session_status after each event; it promises that this is what one would hold. The list of runs
// and the open run both apply it, so they cannot disagree.
import type { WireOrder } from './control';
import type { ServerEvent } from './events';
import { carryOver } from './metrics';
import { isOver, type SessionStatus } from './session';

type Progress = Extract<ServerEvent, { type: 'progress_update' }>;

function afterProgress(status: SessionStatus, { metrics, status: word }: Progress): SessionStatus {
  const { currentModel, totalModels, timestamp } = metrics.named;
  return {
    ...status,
    metrics: carryOver(status.metrics, metrics),
    // The newest update of a finished run goes to every new subscriber: it does not revive the run.
    status: isOver(status.status) ? status.status : word,
    currentModel: currentModel ?? status.currentModel,
    totalModels: totalModels ?? status.totalModels,
    lastUpdate: timestamp ?? status.lastUpdate,
  };
}

function withStatus(status: SessionStatus, newer: SessionStatus): SessionStatus {
  const { metrics } = newer;
  return {
    ...newer,
    metrics: metrics ? carryOver(status.metrics, metrics) : status.metrics,
    summary: newer.summary ?? status.summary,
    phase: newer.phase === '' ? status.phase : newer.phase,
    phaseReason: newer.phase === '' ? status.phaseReason : newer.phaseReason,
    eta: newer.eta ?? status.eta,
  };
}

function withOrder(status: SessionStatus, order: WireOrder): SessionStatus {
  return order.command === 'stop' ? { ...status, stop: order } : status;
}

/** `status` as it is after `event`, which is of the same session. */
export function statusAfter(status: SessionStatus, event: ServerEvent): SessionStatus {
  switch (event.type) {
    case 'session_status':
      return withStatus(status, event.session);
    case 'progress_update':
      return afterProgress(status, event);
    case 'training_started':
      return { ...status, status: 'running' };
    case 'model_completed':
      return { ...status, modelsCompleted: Math.max(event.modelIndex + 1, status.modelsCompleted) };
    case 'training_completed':
      return { ...status, status: 'completed', modelsCompleted: status.totalModels };
    case 'training_error':
      return { ...status, status: 'failed', error: event.error };
    case 'phase_changed':
      return { ...status, phase: event.to, phaseReason: event.reason };
    case 'insight': {
      const { phase, reason, eta } = event.verdict;
      return { ...status, phase, phaseReason: reason, eta };
    }
    case 'control':
      return withOrder(status, event.order);
    case 'alert':
    case 'session_cleanup':
      return status;
  }
}
