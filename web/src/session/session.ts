// SPDX-License-Identifier: MIT
//
// One run as this page knows it: a pure reducer over what the daemon says. The same facts arrive as
// events while a socket lives and as status answers while it does not, so a notice has a key and is
// told once, whichever way it came first.
import { statusAfter } from '../proto/after';
import type { ServerEvent } from '../proto/events';
import type { SessionStatus } from '../proto/session';

export type NoticeEvent = Extract<
  ServerEvent,
  {
    type:
      | 'model_completed'
      | 'phase_changed'
      | 'alert'
      | 'control'
      | 'training_completed'
      | 'training_error'
      | 'session_cleanup';
  }
>;

export interface Notice {
  readonly key: string;
  /** Epoch seconds at which this page heard of it. */
  readonly at: number;
  readonly event: NoticeEvent;
}

export interface SessionState {
  readonly id: string;
  /** Whether the daemon knows this run; what is below may be from before it forgot. */
  readonly known: 'asking' | 'yes' | 'no';
  readonly session: SessionStatus | null;
  /** Newest first. */
  readonly notices: readonly Notice[];
}

const NOTICES_KEPT = 50;

export function createSession(id: string): SessionState {
  return { id, known: 'asking', session: null, notices: [] };
}

/** What makes it the one event it is, whichever way it is heard of. */
function keyOf(event: NoticeEvent): string {
  switch (event.type) {
    case 'model_completed':
      return `model ${event.modelIndex}`;
    case 'phase_changed':
      return `phase ${event.to} ${event.at ?? ''}`;
    case 'alert':
      return `alert ${event.finding.kind} ${event.at ?? ''}`;
    case 'control':
      return `control ${event.order.id} ${event.order.state}`;
    default:
      return event.type;
  }
}

function notice(state: SessionState, event: NoticeEvent, now: number): SessionState {
  const key = keyOf(event);
  if (state.notices.some((told) => told.key === key)) return state;
  return { ...state, notices: [{ key, at: now, event }, ...state.notices].slice(0, NOTICES_KEPT) };
}

/** Tells what ended between two statuses, for the times when no event could say so. */
function noticeEnds(old: SessionStatus, state: SessionState, now: number): SessionState {
  const { session } = state;
  if (!session) return state;
  const { sessionId, totalModels, status, error } = session;
  let next = state;
  for (let modelIndex = old.modelsCompleted; modelIndex < session.modelsCompleted; modelIndex++) {
    next = notice(next, { type: 'model_completed', sessionId, modelIndex, totalModels }, now);
  }
  if (status === old.status) return next;
  if (status === 'completed') {
    next = notice(next, { type: 'training_completed', sessionId, at: session.lastUpdate }, now);
  }
  if (status === 'failed') {
    next = notice(next, { type: 'training_error', sessionId, error }, now);
  }
  return next;
}

/** Whether `session` is another run under the same id: what was known is not about it. */
export function isAnotherRun(state: SessionState, session: SessionStatus): boolean {
  return state.session !== null && state.session.startTime !== session.startTime;
}

function onStatus(
  state: SessionState,
  event: Extract<ServerEvent, { type: 'session_status' }>,
  now: number,
): SessionState {
  const { session } = event;
  const old = isAnotherRun(state, session) ? null : state.session;
  if (old === null) return { ...createSession(state.id), known: 'yes', session };
  return noticeEnds(old, { ...state, known: 'yes', session: statusAfter(old, event) }, now);
}

/** What the daemon's event makes of the run; `now` in epoch seconds. */
export function onEvent(state: SessionState, event: ServerEvent, now: number): SessionState {
  if (event.type === 'session_status') return onStatus(state, event, now);
  const session = state.session && statusAfter(state.session, event);
  const next = { ...state, session };
  switch (event.type) {
    case 'training_started':
    case 'progress_update':
    case 'insight':
      return { ...next, known: 'yes' };
    case 'session_cleanup':
      return notice({ ...next, known: 'no' }, event, now);
    default:
      return notice(next, event, now);
  }
}

/** The daemon says there is no such run. */
export function onMissing(state: SessionState): SessionState {
  return { ...state, known: 'no' };
}
