// SPDX-License-Identifier: MIT
//
// What the loss line is drawn from: one point a record. History entries and live progress_updates
// carry the same record, so both become the same point.
import { asArray, asNumber, asObject } from './json';
import { decodeMetrics, LOSS_NAMES, valLoss, type Metrics } from './metrics';

/** What a loss line needs of a history entry, as the route's `fields`. */
export const POINT_FIELDS = LOSS_NAMES.join(',');

export interface Point {
  /** The record's place in its session's history, rising by one a record. */
  readonly offset: number;
  /** When the daemon had it, in epoch seconds; null in a live update, which does not say. */
  readonly at: number | null;
  /** The step in its model; undefined when the trainer counts none. */
  readonly step: number | undefined;
  readonly loss: number | undefined;
  readonly valLoss: number | undefined;
}

export function pointOf(offset: number, at: number | null, metrics: Metrics): Point {
  return {
    offset,
    at,
    step: metrics.named.currentStep,
    loss: metrics.named.loss,
    valLoss: valLoss(metrics),
  };
}

/** Reads GET /api/training/history/<id>, oldest first; null when it is not such an answer. */
export function decodeHistory(answer: unknown): readonly Point[] | null {
  const body = asObject(answer);
  if (body?.success !== true || !Array.isArray(body.data)) return null;
  return asArray(body.data).flatMap((entry) => {
    const offset = asNumber(asObject(entry)?.offset);
    const at = asNumber(asObject(entry)?.serverTime);
    const metrics = decodeMetrics(entry);
    return offset === null || metrics === null ? [] : [pointOf(offset, at, metrics)];
  });
}
