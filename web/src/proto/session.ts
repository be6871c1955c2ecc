// SPDX-License-Identifier: MIT
//
// What the daemon says of a run: `session_status`, the entries of GET /api/training/sessions, and
// the body of GET /api/training/sessions/<id>. One decoder, for all three are the same words.
import { asArray, asNumber, asObject, asString, asTime, type Json } from './json';
import { decodeConfig, type Config } from './config';
import { decodeStop, type WireOrder } from './control';
import { decodeEta, type Eta } from './eta';
import { decodeMetrics, METRIC_NAMES, type MetricName, type Metrics } from './metrics';
import { decodeSummary, type Summary } from './summary';

export interface Rewind {
  /** Of the first record of what is new, and its step and model: P-12. */
  readonly offset: number;
  readonly step: number;
  readonly model: number;
}

export interface SessionStatus {
  readonly sessionId: string;
  readonly project: string;
  readonly name: string;
  readonly status: string;
  /** Epoch seconds. */
  readonly startTime: number | null;
  readonly lastUpdate: number | null;
  readonly currentModel: number;
  readonly totalModels: number;
  readonly modelsCompleted: number;
  /** Why it failed; empty when it did not, or did not say. */
  readonly error: string;
  /** Which of the twelve the daemon worked out, because the trainer did not send them. */
  readonly derived: readonly MetricName[];
  /** Present over HTTP; over a socket the newest update follows as an event of its own. */
  readonly metrics: Metrics | null;
  readonly config: Config;
  /** What the daemon takes the run to be in, in capitals, and why; empty while it does not say. */
  readonly phase: string;
  readonly phaseReason: string;
  /** When it thinks the run will be over; null while it does not say. */
  readonly eta: Eta | null;
  /** The stop that it was told and that is not done; null: there is none. */
  readonly stop: WireOrder | null;
  /** Kept for ever, and first in the list. */
  readonly pinned: boolean;
  /** Offsets of one epoch say nothing about those of another; empty from a daemon that has none. */
  readonly epoch: string;
  /** The newest time that a resumed trainer went back to an earlier step; null: it never did. */
  readonly rewind: Rewind | null;
  /** Last and best of each metric; null over a socket, which does not carry it. */
  readonly summary: Summary | null;
}

export interface SessionList {
  readonly sessions: readonly SessionStatus[];
  /** How many there are, of which `sessions` may be the newest few. */
  readonly total: number;
}

const TERMINAL: ReadonlySet<string> = new Set(['completed', 'failed', 'stopped', 'cancelled']);

/** Whether a run in this status is over. */
export function isOver(status: string): boolean {
  return TERMINAL.has(status);
}

/** How far the whole run is, in percent: a completed one has no way left, whatever it sent last. */
export function overallProgress(run: SessionStatus): number | undefined {
  return run.status === 'completed' ? 100 : run.metrics?.named.overallProgress;
}

function decodeDerived(value: unknown): readonly MetricName[] {
  const names = asArray(value);
  return METRIC_NAMES.filter((name) => names.includes(name));
}

function text(value: unknown): string {
  return asString(value) ?? '';
}

function decodeRewind(value: unknown): Rewind | null {
  const rewind = asObject(value);
  const [offset, step, model] = [rewind?.offset, rewind?.step, rewind?.model].map(asNumber);
  if (typeof offset !== 'number' || typeof step !== 'number') return null;
  return { offset, step, model: model ?? 1 };
}

/** Reads one run; null when it has no id. */
export function decodeSession(value: unknown): SessionStatus | null {
  const run = asObject(value);
  const sessionId = asString(run?.session_id) ?? asString(run?.sessionId);
  if (!run || sessionId === null) return null;
  return {
    sessionId,
    project: text(run.project),
    name: text(run.name),
    status: asString(run.status) ?? 'unknown',
    startTime: asTime(run.start_time),
    lastUpdate: asTime(run.last_update),
    currentModel: asNumber(run.current_model) ?? 1,
    totalModels: asNumber(run.total_models) ?? 1,
    modelsCompleted: asNumber(run.models_completed) ?? 0,
    error: text(run.error),
    derived: decodeDerived(run.derived),
    metrics: decodeMetrics(run.latest_metrics),
    config: decodeConfig(run.config),
    phase: text(run.phase),
    phaseReason: text(run.phase_reason),
    eta: decodeEta(run.eta),
    stop: decodeStop(run.control),
    pinned: run.pinned === true,
    epoch: text(run.epoch),
    rewind: decodeRewind(run.rewind),
    summary: decodeSummary(run.summary),
  };
}

/** Takes the wrapper `{"success":true,"data":…}` off an HTTP answer. */
export function unwrap(answer: unknown): Json | null {
  const body = asObject(answer);
  return body?.success === true ? asObject(body.data) : null;
}

/** Reads GET /api/training/sessions; null when it is not such an answer. */
export function decodeSessionList(answer: unknown): SessionList | null {
  const data = unwrap(answer);
  if (!data) return null;
  const sessions = asArray(data.sessions).flatMap((run) => decodeSession(run) ?? []);
  return { sessions, total: asNumber(data.total) ?? sessions.length };
}
