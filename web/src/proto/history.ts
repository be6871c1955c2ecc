// SPDX-License-Identifier: MIT
//
// What the loss line is drawn from: one point a record. History entries and live progress_updates
// carry the same record, so both become the same point.
import { asArray, asNumber, asObject } from './json';
import { decodeMetrics, valLoss, type Metrics } from './metrics';
import { unwrap } from './session';

export interface Point {
  /** The record's place in its session's history, rising by one a record. */
  readonly offset: number;
  /** Steps done, over all models of the run; undefined when the trainer counts none. */
  readonly step: number | undefined;
  readonly loss: number | undefined;
  readonly valLoss: number | undefined;
}

function overallStep({ named }: Metrics): number | undefined {
  if (named.currentStep === undefined) return undefined;
  return ((named.currentModel ?? 1) - 1) * (named.totalSteps ?? 0) + named.currentStep;
}

export function pointOf(offset: number, metrics: Metrics): Point {
  return {
    offset,
    step: overallStep(metrics),
    loss: metrics.named.loss,
    valLoss: valLoss(metrics),
  };
}

/** Reads GET /api/training/history/<id>, oldest first; null when it is not such an answer. */
export function decodeHistory(answer: unknown): readonly Point[] | null {
  const data = unwrap(answer);
  if (!data) return null;
  return asArray(data.history).flatMap((entry) => {
    const offset = asNumber(asObject(entry)?.offset);
    const metrics = decodeMetrics(entry);
    return offset === null || metrics === null ? [] : [pointOf(offset, metrics)];
  });
}
