// SPDX-License-Identifier: MIT
//
// Numbers as people read them. Every text of one kind keeps its number of digits while it moves, so
// that with tabular digits nothing on the page shifts.
import type { MetricName } from './metrics';
import { roundText, significantText } from './round';

export const MISSING = '–';
const MINUS = '−';
const THIN_SPACE = ' ';

/** The word for a value that is no number, or null when it is one. */
function wordFor(value: number | undefined): string | null {
  if (value === undefined) return MISSING;
  if (Number.isNaN(value)) return 'NaN';
  if (Number.isFinite(value)) return null;
  return value > 0 ? '∞' : `${MINUS}∞`;
}

export function decimals(value: number | undefined, digits: number): string {
  return wordFor(value) ?? roundText(value as number, digits).replace('-', MINUS);
}

export function percent(value: number | undefined): string {
  return wordFor(value) ?? `${decimals(value, 1)} %`;
}

/** A whole number with its thousands apart: 12 500. */
export function count(value: number | undefined): string {
  const digits = wordFor(value) ?? roundText(value as number, 0).replace('-', MINUS);
  return digits.replace(/\B(?=(\d{3})+$)/g, THIN_SPACE);
}

/** A size in words: 25.0 M, 7.24 B. */
export function magnitude(value: number | undefined): string {
  const word = wordFor(value);
  if (word !== null) return word;
  const units: readonly [number, string][] = [
    [1e12, 'T'],
    [1e9, 'B'],
    [1e6, 'M'],
    [1e3, 'k'],
  ];
  const size = value as number;
  const unit = units.find(([from]) => Math.abs(size) >= from);
  return unit ? `${(size / unit[0]).toPrecision(3)} ${unit[1]}` : count(size);
}

/** A span of time: 42s, 3m 07s, 1h 04m. Truncating: a clock does not round up. */
export function duration(seconds: number | undefined): string {
  const word = wordFor(seconds);
  if (word !== null) return word;
  const whole = Math.max(0, Math.trunc(seconds as number));
  const two = (part: number) => String(part).padStart(2, '0');
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.trunc(whole / 60)}m ${two(whole % 60)}s`;
  return `${Math.trunc(whole / 3600)}h ${two(Math.trunc((whole % 3600) / 60))}m`;
}

/** A span as the daemon writes it, in two units and without zeros before: 59s, 42m, 1h 5m. */
export function shortDuration(seconds: number): string {
  const whole = Math.max(0, Math.trunc(seconds));
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.trunc(whole / 60)}m`;
  return `${Math.trunc(whole / 3600)}h ${Math.trunc((whole % 3600) / 60)}m`;
}

/** How long ago, in one unit: `now` below two seconds, then 5 s, 3 min, 2 h, 4 d. */
export function age(seconds: number): string {
  if (seconds < 2) return 'now';
  if (seconds < 60) return `${Math.trunc(seconds)} s ago`;
  if (seconds < 3600) return `${Math.trunc(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.trunc(seconds / 3600)} h ago`;
  return `${Math.trunc(seconds / 86400)} d ago`;
}

const FORMATS: Partial<Record<MetricName, (value: number | undefined) => string>> = {
  loss: (value) => decimals(value, 4),
  perplexity: (value) => decimals(value, 4),
  grokProgress: percent,
  overallProgress: percent,
  modelParams: magnitude,
  trainingTime: duration,
  estimatedTimeRemaining: duration,
};

/** The text of one of the twelve. */
export function formatMetric(name: MetricName, value: number | undefined): string {
  return (FORMATS[name] ?? count)(value);
}

/** The text of a number under the trainer's own name. */
export function formatOther(value: number): string {
  return wordFor(value) ?? significantText(value).replace(/-/g, MINUS);
}
