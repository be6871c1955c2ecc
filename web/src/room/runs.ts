// SPDX-License-Identifier: MIT
//
// The list of runs: what GET /api/training/sessions answered last, moved on by the lifecycle events
// of the room `*` and by the updates of the open run.
import { statusAfter } from '../proto/after';
import type { ServerEvent } from '../proto/events';
import type { SessionList, SessionStatus } from '../proto/session';

/** The room that hears the lifecycle of every session. */
export const EVERY_SESSION = '*';

export interface RunsState {
  /** False until the first answer: an empty list may only mean that nobody has asked yet. */
  readonly loaded: boolean;
  /** Newest first, as the daemon sorts them. */
  readonly runs: readonly SessionStatus[];
  readonly total: number;
}

export const noRuns: RunsState = { loaded: false, runs: [], total: 0 };

export function onList(list: SessionList): RunsState {
  return { loaded: true, runs: list.sessions, total: list.total };
}

/** Moves a listed run on; a run that is not listed changes nothing until the next list. */
export function onRunEvent(state: RunsState, event: ServerEvent): RunsState {
  if (event.type === 'session_cleanup') {
    const runs = state.runs.filter((run) => run.sessionId !== event.sessionId);
    return { ...state, runs, total: state.total - (state.runs.length - runs.length) };
  }
  const after = (run: SessionStatus) =>
    run.sessionId === event.sessionId ? statusAfter(run, event) : run;
  return { ...state, runs: state.runs.map(after) };
}

/** The run to show: the one the address asks for, else the newest; null while there is none. */
export function chosenRun(asked: string | null, state: RunsState): string | null {
  return asked ?? state.runs[0]?.sessionId ?? null;
}
