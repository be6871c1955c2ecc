// SPDX-License-Identifier: MIT
//
// Server → client events by name. The table is the whole vocabulary of this page: an event that is
// not in it is not listened for, and one that does not decode is dropped here.
import { asPhase, decodeFinding, decodeVerdict, type Finding, type Verdict } from './insight';
import { decodeOrder, type WireOrder } from './control';
import { asNumber, asObject, asString, asTime, type Json } from './json';
import { decodeMetrics, type Metrics } from './metrics';
import { decodeSession, type SessionStatus } from './session';

export type ServerEvent =
  | { type: 'session_status'; sessionId: string; session: SessionStatus }
  | { type: 'training_started'; sessionId: string }
  | {
      type: 'progress_update';
      sessionId: string;
      metrics: Metrics;
      status: string;
      offset: number | null;
    }
  | { type: 'model_completed'; sessionId: string; modelIndex: number; totalModels: number }
  | { type: 'training_completed'; sessionId: string; at: number | null }
  | { type: 'training_error'; sessionId: string; error: string }
  | PhaseChanged
  | { type: 'alert'; sessionId: string; finding: Finding; why: string; at: number | null }
  | { type: 'insight'; sessionId: string; verdict: Verdict }
  | { type: 'control'; sessionId: string; order: WireOrder }
  | { type: 'session_cleanup'; sessionId: string };

export interface PhaseChanged {
  readonly type: 'phase_changed';
  readonly sessionId: string;
  /** In capitals, as all phases on the wire. */
  readonly to: string;
  readonly reason: string;
  readonly step: number | null;
  readonly epoch: number | null;
  /** Epoch seconds. */
  readonly at: number | null;
}

export type EventName = ServerEvent['type'];
type Decoder = (data: Json, sessionId: string) => ServerEvent | null;

const DECODERS: Record<EventName, Decoder> = {
  session_status: (data, sessionId) => {
    const session = decodeSession(data);
    return session && { type: 'session_status', sessionId, session };
  },
  training_started: (_, sessionId) => ({ type: 'training_started', sessionId }),
  progress_update: (data, sessionId) => {
    const metrics = decodeMetrics(data.metrics);
    const status = asString(data.status) ?? 'running';
    const offset = asNumber(data.offset);
    return metrics && { type: 'progress_update', sessionId, metrics, status, offset };
  },
  model_completed: (data, sessionId) => {
    const modelIndex = asNumber(data.modelIndex);
    const totalModels = asNumber(data.totalModels) ?? 1;
    return modelIndex === null
      ? null
      : { type: 'model_completed', sessionId, modelIndex, totalModels };
  },
  training_completed: (data, sessionId) => ({
    type: 'training_completed',
    sessionId,
    at: asTime(data.timestamp),
  }),
  training_error: (data, sessionId) => ({
    type: 'training_error',
    sessionId,
    error: asString(data.error) ?? '',
  }),
  phase_changed: (data, sessionId) => {
    const to = asPhase(data.to);
    const [step, epoch] = [asNumber(data.step), asNumber(data.epoch)];
    const rest = { reason: asString(data.reason) ?? '', step, epoch, at: asTime(data.timestamp) };
    return to === null ? null : { type: 'phase_changed', sessionId, to, ...rest };
  },
  alert: (data, sessionId) => {
    const finding = decodeFinding(data);
    const rest = { why: asString(data.why) ?? '', at: asTime(data.timestamp) };
    return finding && { type: 'alert', sessionId, finding, ...rest };
  },
  insight: (data, sessionId) => {
    const verdict = decodeVerdict(data);
    return verdict && { type: 'insight', sessionId, verdict };
  },
  control: (data, sessionId) => {
    const order = decodeOrder(data);
    return order && { type: 'control', sessionId, order };
  },
  session_cleanup: (_, sessionId) => ({ type: 'session_cleanup', sessionId }),
};

export const EVENT_NAMES = Object.keys(DECODERS) as EventName[];

/** Reads one event; null when it names no session or is not what its name says. */
export function decodeEvent(name: EventName, payload: unknown): ServerEvent | null {
  const data = asObject(payload);
  const sessionId = asString(data?.sessionId) ?? asString(data?.session_id);
  return data && sessionId !== null ? DECODERS[name](data, sessionId) : null;
}
