// SPDX-License-Identifier: MIT
//
// The metrics record (docs/protocol.md): twelve numbers every run has, then whatever else the
// trainer sent, under the trainer's own names.
//
// A non-finite number travels as null beside `nonFinite: {"loss": "NaN"}`, because JSON has no
// word for it. Here it becomes the JavaScript number it stands for, so that nobody downstream can
// mistake a diverged loss for a missing one.
import { asNumber, asObject, asString, type Json } from './json';

export const METRIC_NAMES = [
  'loss',
  'perplexity',
  'grokProgress',
  'modelParams',
  'currentStep',
  'totalSteps',
  'currentModel',
  'totalModels',
  'overallProgress',
  'trainingTime',
  'estimatedTimeRemaining',
  'timestamp',
] as const;

export type MetricName = (typeof METRIC_NAMES)[number];
export type Named = Readonly<Partial<Record<MetricName, number>>>;
export type Other = readonly [name: string, value: number];

export interface Metrics {
  readonly named: Named;
  readonly others: readonly Other[];
}

const NAMES: ReadonlySet<string> = new Set(METRIC_NAMES);
/** More names than this are no help to anybody, and a trainer that makes them up has no end. */
const MOST_OTHERS = 200;
/** Fields of a history entry that are no metric. */
const ENVELOPE: ReadonlySet<string> = new Set(['nonFinite', 'offset', 'serverTime', 'superseded']);
/** How trainers spell the loss on held-out data, the commonest first. */
const VAL_LOSS = ['val_loss', 'valLoss', 'validation_loss', 'eval_loss', 'val/loss', 'eval/loss'];
export const LOSS_NAMES: readonly string[] = ['loss', ...VAL_LOSS];

function nonFinite(words: Json | null, name: string): number | null {
  const word = asString(words?.[name]);
  return word === 'NaN' || word === 'Infinity' || word === '-Infinity' ? Number(word) : null;
}

/** Reads a metrics record or a history entry; null when it is not an object. */
export function decodeMetrics(value: unknown): Metrics | null {
  const record = asObject(value);
  if (!record) return null;
  const words = asObject(record.nonFinite);
  const named: Partial<Record<MetricName, number>> = {};
  const others: Other[] = [];
  for (const [name, raw] of Object.entries(record)) {
    if (ENVELOPE.has(name)) continue;
    const number = asNumber(raw) ?? nonFinite(words, name);
    if (number === null) continue;
    if (NAMES.has(name)) named[name as MetricName] = number;
    else others.push([name, number]);
  }
  return { named, others };
}

/**
 * A record after another of the same run: its own numbers, and the last known of the names that it
 * does not carry. A trainer that sends some numbers each step and others each epoch so keeps one
 * steady set of names.
 */
export function carryOver(before: Metrics | null, record: Metrics): Metrics {
  const others = new Map([...(before?.others ?? []), ...record.others]);
  return { named: record.named, others: [...others].slice(0, MOST_OTHERS) };
}

/** What a trainer calls the loss on held-out data, of the names that it sends. */
export function valLossName(names: readonly string[]): string | undefined {
  return VAL_LOSS.find((wanted) => names.includes(wanted));
}
