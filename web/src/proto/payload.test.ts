// SPDX-License-Identifier: MIT
//
// The payloads that the daemon's own tests hold, byte for byte, as this page reads them.
import { describe, expect, it } from 'vitest';
import vectors from '../../../tests/vectors/payload.json';
import { formatMetric } from './format';
import { decodeMetrics, METRIC_NAMES, type MetricName } from './metrics';
import { decodeSession } from './session';

type Record = { [name: string]: unknown; nonFinite?: { [name: string]: string } };

const cases = vectors.cases.map((vector) => ({ ...vector, name: vector.comment }));
const SHOWN: readonly MetricName[] = ['loss', 'perplexity', 'grokProgress', 'overallProgress'];

/** What a record says of a name: its number, the word for one that is not finite, or nothing. */
function said(record: Record, name: string): string | undefined {
  const word = record.nonFinite?.[name];
  return word ?? (typeof record[name] === 'number' ? String(record[name]) : undefined);
}

describe('proto/payload', () => {
  it.each(cases)('reads every number: $name', ({ payload }) => {
    const record = JSON.parse(payload) as Record;
    const metrics = decodeMetrics(record);
    for (const name of METRIC_NAMES) {
      const value = metrics?.named[name];
      expect(value === undefined ? undefined : String(value)).toBe(said(record, name));
    }
    const own = Object.keys(record).filter(
      (name) => name !== 'nonFinite' && !METRIC_NAMES.includes(name as MetricName),
    );
    expect(metrics?.others.map(([name, value]) => [name, String(value)])).toEqual(
      own.map((name) => [name, said(record, name)]),
    );
  });

  it.each(cases)('shows live what history shows: $name', ({ payload, entry }) => {
    const live = decodeMetrics(JSON.parse(payload))?.named;
    const kept = decodeMetrics(JSON.parse(entry))?.named;
    for (const name of SHOWN) {
      expect(formatMetric(name, kept?.[name])).toBe(formatMetric(name, live?.[name]));
    }
  });

  it.each(cases)('knows what is derived: $name', ({ derived }) => {
    expect(decodeSession({ session_id: 'a', derived })?.derived).toEqual(derived);
  });
});
