// SPDX-License-Identifier: MIT
//
// How this page hears its rooms, as one word. Sockets come first; when they have been down for a
// moment the page asks over HTTP, and what that answers decides between the fallback and offline.
// The moment keeps an ordinary reconnect from flashing through three words.

/** Milliseconds a socket may be down before the page asks over HTTP. */
export const PATIENCE_MS = 1500;

export type Link = 'connecting' | 'websocket' | 'polling' | 'http' | 'offline';

export interface LinkState {
  /** The transport of the socket that is up; null when none is. */
  readonly transport: 'websocket' | 'polling' | null;
  /** Since when, in epoch milliseconds, the socket has been up, or down. */
  readonly since: number;
  /** What the last request over HTTP met; null when none has counted since the socket went down. */
  readonly answered: boolean | null;
}

export function createLink(now: number): LinkState {
  return { transport: null, since: now, answered: null };
}

export function onSocketUp(
  state: LinkState,
  transport: 'websocket' | 'polling',
  now: number,
): LinkState {
  return { transport, since: state.transport === null ? now : state.since, answered: null };
}

export function onSocketDown(state: LinkState, now: number): LinkState {
  return state.transport === null ? state : createLink(now);
}

/** Whether the sockets have been down long enough to ask over HTTP. */
export function wantsFallback(state: LinkState, now: number): boolean {
  return state.transport === null && now - state.since >= PATIENCE_MS;
}

/** An answer over HTTP, or its failure; it counts only while HTTP is what the page hears by. */
export function onAnswer(state: LinkState, answered: boolean, now: number): LinkState {
  return wantsFallback(state, now) ? { ...state, answered } : state;
}

export function linkOf(state: LinkState): Link {
  if (state.transport !== null) return state.transport;
  if (state.answered === null) return 'connecting';
  return state.answered ? 'http' : 'offline';
}
