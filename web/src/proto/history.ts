// SPDX-License-Identifier: MIT
//
// What the charts are drawn from: one point a record. History entries and live progress_updates
// carry the same record, so both become the same point.
import { asArray, asNumber, asObject } from './json';
import { decodeMetrics, LOSS_NAMES, type MetricName, type Metrics } from './metrics';
import type { SessionStatus } from './session';

/** Of the twelve, those that make a curve; the rest are counters and clocks. */
const CURVES: readonly MetricName[] = ['loss', 'perplexity', 'grokProgress'];
/** The daemon takes no more names in one request. */
const MOST_FIELDS = 32;

export interface Point {
  /** The record's place in its session's history, rising by one a record. */
  readonly offset: number;
  /** When the daemon had it, in epoch seconds; of a live update, what the record says of it. */
  readonly at: number | null;
  /** The step in its model; undefined when the trainer counts none. */
  readonly step: number | undefined;
  /** Its place in the daemon's buckets; undefined when it is not told. */
  readonly axis?: number | undefined;
  readonly values: readonly (readonly [name: string, value: number])[];
}

export interface HistoryRequest {
  /** Only the records after this offset; -1: all. */
  readonly after: number;
  /** About how many, of each metric. */
  readonly points: number;
  readonly fields: readonly string[];
  /** Only these steps, in their model. */
  readonly steps?: readonly [from: number, to: number];
}

/** Which metrics of a run are drawn: what the trainer sent, and not what the daemon worked out. */
export function drawnMetrics(run: SessionStatus | null): readonly string[] {
  if (!run?.summary || run.summary.size === 0) return LOSS_NAMES;
  const own = CURVES.filter((name) => name === 'loss' || !run.derived.includes(name));
  const names = new Set<string>([...own, ...run.summary.keys()]);
  return [...names].filter((name) => !name.includes(',')).slice(0, MOST_FIELDS);
}

export function pointOf(offset: number, at: number | null, metrics: Metrics): Point {
  const values = CURVES.flatMap((name) => {
    const value = metrics.named[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    offset,
    at: at ?? metrics.named.timestamp ?? null,
    step: metrics.named.currentStep,
    values: [...values, ...metrics.others],
  };
}

/** Reads GET /api/training/history/<id> with axis=1, oldest first; null when it is not such an answer. */
export function decodeHistory(answer: unknown): readonly Point[] | null {
  const body = asObject(answer);
  if (body?.success !== true || !Array.isArray(body.data)) return null;
  return asArray(body.data).flatMap((entry) => {
    const offset = asNumber(asObject(entry)?.offset);
    const at = asNumber(asObject(entry)?.serverTime);
    const metrics = decodeMetrics(entry);
    if (offset === null || metrics === null) return [];
    const axis = asNumber(asObject(entry)?.axis) ?? undefined;
    return [{ ...pointOf(offset, at, metrics), axis }];
  });
}
