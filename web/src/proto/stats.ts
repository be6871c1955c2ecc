// SPDX-License-Identifier: MIT
//
// What the daemon counts of all runs together, as far as a page should know it: how fast it tells at
// most, and what did not arrive whole since it was started.
import { asNumber, asObject } from './json';
import { unwrap } from './session';

export interface DaemonStats {
  /** Updates a second and run; null: it tells every one. */
  readonly maxRate: number | null;
  /** Lines that were refused, or that ended in the middle. */
  readonly linesRefused: number;
  /** Values that were no numbers. */
  readonly valuesIgnored: number;
  /** Records that were told live and not kept, while the disk was in trouble. */
  readonly recordsNotKept: number;
}

/** Reads GET /api/training/stats; null when it is not such an answer. */
export function decodeStats(answer: unknown): DaemonStats | null {
  const data = unwrap(answer);
  const dropped = asObject(data?.dropped_stats);
  const performance = asObject(data?.performance_stats);
  if (!data || !dropped) return null;
  const counter = (name: string) => asNumber(dropped[name]) ?? 0;
  return {
    maxRate:
      performance?.throttling_enabled === true ? asNumber(performance.max_update_rate) : null,
    linesRefused: counter('lines_rejected') + counter('lines_truncated'),
    valuesIgnored: counter('values_ignored'),
    recordsNotKept: counter('records_shed'),
  };
}
