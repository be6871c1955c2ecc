// SPDX-License-Identifier: MIT
//
// What the daemon sums up of each metric of a run: the last value, and the best with its step. It
// has seen every record, which a page that draws a thinned history has not.
import { asNumber, asObject } from './json';

export interface MetricSummary {
  readonly count: number;
  /** Undefined when the last value was no finite number. */
  readonly last: number | undefined;
  readonly best: number | undefined;
  readonly bestStep: number | undefined;
  /** Whether more is better. */
  readonly goal: 'min' | 'max';
}

export type Summary = ReadonlyMap<string, MetricSummary>;

/** Reads `summary` of a run; null when there is none. */
export function decodeSummary(value: unknown): Summary | null {
  const metrics = asObject(value);
  if (!metrics) return null;
  const summary = new Map<string, MetricSummary>();
  for (const [name, raw] of Object.entries(metrics)) {
    const entry = asObject(raw);
    if (!entry) continue;
    const number = (field: string) => asNumber(entry[field]) ?? undefined;
    summary.set(name, {
      count: number('count') ?? 0,
      last: number('last'),
      best: number('best'),
      bestStep: number('bestStep'),
      goal: entry.goal === 'max' ? 'max' : 'min',
    });
  }
  return summary;
}
