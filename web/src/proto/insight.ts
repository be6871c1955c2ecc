// SPDX-License-Identifier: MIT
//
// What the daemon makes of a run: GET /api/training/insight/<id>, and the events `insight`,
// `phase_changed` and `alert` (docs/protocol.md P-35). A number that is not known is null, there as
// here; a word that is none of its list makes the whole finding none, for half a warning is worse.
import { decodeEta, type Eta } from './eta';
import { asArray, asNumber, asObject, asString, type Json } from './json';
import { unwrap } from './session';

export interface Best {
  readonly value: number;
  readonly step: number | null;
  readonly epoch: number | null;
}

/** Of the monitored metric, at a step that was planned. */
export interface Forecast {
  readonly at: number;
  readonly value: number;
  readonly lo: number;
  readonly hi: number;
}

export interface StopAdvice {
  readonly recommend: boolean;
  readonly why: string;
  /** Seconds that the rest of the plan would take. */
  readonly savingSeconds: number | null;
}

export const SEVERITIES = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

export interface Finding {
  readonly kind: string;
  readonly severity: Severity;
  readonly evidence: string;
  readonly confidence: string;
  readonly action: string;
  readonly sinceStep: number | null;
}

export interface PhaseMark {
  readonly phase: string;
  readonly step: number | null;
  readonly epoch: number | null;
  /** Epoch seconds. */
  readonly at: number | null;
  /** Of the record with which it began. */
  readonly offset: number;
}

export interface Verdict {
  /** In capitals: LEARNING_FAST. */
  readonly phase: string;
  readonly reason: string;
  readonly advice: string;
  /** Improvement per epoch, 0.05 is 5 %; positive is better. */
  readonly velocity: number | null;
  /** The metric that is judged; empty while none is. */
  readonly monitor: string;
  readonly best: Best | null;
  readonly eta: Eta | null;
  readonly forecast: Forecast | null;
  /** The chance, from 0 to 1, that the best is still beaten by more than 0.5 %, and its class. */
  readonly gain: number | null;
  readonly gainClass: string;
  readonly stop: StopAdvice;
  /** What stands. */
  readonly findings: readonly Finding[];
}

export interface InsightAnswer {
  /** Null where nothing is made of the run. */
  readonly verdict: Verdict | null;
  /** The phases since its beginning, oldest first. */
  readonly phases: readonly PhaseMark[];
}

/** The phase in capitals; null where there is none. */
export function asPhase(value: unknown): string | null {
  const name = asString(value);
  return name !== null && /^[A-Z][A-Z_]*$/.test(name) ? name : null;
}

function text(value: unknown): string {
  return asString(value) ?? '';
}

/** Reads one finding, or the `alert` that told of it; null when it is none. */
export function decodeFinding(value: unknown): Finding | null {
  const finding = asObject(value);
  const kind = asString(finding?.kind);
  const severity = SEVERITIES.find((known) => known === finding?.severity);
  if (!finding || kind === null || severity === undefined) return null;
  return {
    kind,
    severity,
    evidence: text(finding.evidence),
    confidence: text(finding.confidence),
    action: text(finding.action),
    sinceStep: asNumber(finding.sinceStep),
  };
}

function decodeBest(value: unknown): Best | null {
  const best = asObject(value);
  const number = asNumber(best?.value);
  if (!best || number === null) return null;
  return { value: number, step: asNumber(best.step), epoch: asNumber(best.epoch) };
}

function decodeForecast(value: unknown): Forecast | null {
  const forecast = asObject(value);
  const [at, middle, lo, hi] = ['at', 'value', 'lo', 'hi'].map((n) => asNumber(forecast?.[n]));
  if (typeof at !== 'number' || typeof middle !== 'number') return null;
  if (typeof lo !== 'number' || typeof hi !== 'number' || lo > hi) return null;
  return { at, value: middle, lo, hi };
}

function decodeStop(value: unknown): StopAdvice {
  const stop = asObject(value);
  return {
    recommend: stop?.recommend === true,
    why: text(stop?.why),
    savingSeconds: asNumber(stop?.saving_seconds),
  };
}

function share(value: unknown): number | null {
  const number = asNumber(value);
  return number !== null && number >= 0 && number <= 1 ? number : null;
}

function decodeMark(value: unknown): PhaseMark | null {
  const mark = asObject(value);
  const phase = asPhase(mark?.phase);
  const offset = asNumber(mark?.offset);
  if (!mark || phase === null || offset === null) return null;
  const [step, epoch, at] = [mark.step, mark.epoch, mark.time_s].map(asNumber) as [
    number | null,
    number | null,
    number | null,
  ];
  return { phase, step, epoch, at, offset };
}

/** Reads what an `insight` event holds; null where it makes nothing of the run. */
export function decodeVerdict(data: Json): Verdict | null {
  const phase = asPhase(data.phase);
  if (phase === null) return null;
  return {
    phase,
    reason: text(data.reason),
    advice: text(data.advice),
    velocity: asNumber(data.velocity),
    monitor: text(data.monitor),
    best: decodeBest(data.best),
    eta: decodeEta(data.eta),
    forecast: decodeForecast(data.forecast),
    gain: share(data.p_gain),
    gainClass: text(data.gain_class),
    stop: decodeStop(data.stop),
    findings: asArray(data.findings).flatMap((finding) => decodeFinding(finding) ?? []),
  };
}

/** Reads GET /api/training/insight/<id>; null when it is not such an answer. */
export function decodeInsight(answer: unknown): InsightAnswer | null {
  const data = unwrap(answer);
  if (!data || asString(data.sessionId) === null) return null;
  const phases = asArray(data.phases).flatMap((mark) => decodeMark(mark) ?? []);
  return { verdict: decodeVerdict(data), phases };
}
