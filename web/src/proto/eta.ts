// SPDX-License-Identifier: MIT
//
// The time to come, as `session_status` and the insight say it.
import { asNumber, asObject, asString } from './json';

/** In seconds; nine times of ten the end lies between earliest and latest. */
export interface Eta {
  readonly seconds: number;
  readonly earliest: number | null;
  readonly latest: number | null;
  /** High, Medium or Low; empty when the daemon does not say. */
  readonly confidence: string;
  readonly reason: string;
}

/** Null while it is not known. */
export function decodeEta(value: unknown): Eta | null {
  const eta = asObject(value);
  const seconds = asNumber(eta?.eta_seconds);
  if (!eta || seconds === null) return null;
  return {
    seconds,
    earliest: asNumber(eta.earliest_possible),
    latest: asNumber(eta.latest_possible),
    confidence: asString(eta.confidence) ?? '',
    reason: asString(eta.confidence_reason) ?? '',
  };
}
