// SPDX-License-Identifier: MIT
//
// How fast a run is recorded, and how much of that is told live. On the wire newest wins, so a fast
// trainer's page sees fewer updates than there are records; offsets tell how many were passed over.

/** Seconds that are looked back on. */
export const WINDOW_S = 5;

export interface Flow {
  /** The live updates of the last moments, oldest first; `at` in epoch seconds. */
  readonly updates: readonly { readonly at: number; readonly offset: number }[];
}

export const still: Flow = { updates: [] };

export interface Rates {
  /** Records, and live updates, a second. */
  readonly recorded: number;
  readonly told: number;
}

/** After a live update; one of before (offsets went back) begins anew. */
export function onUpdate(flow: Flow, offset: number, now: number): Flow {
  const newest = flow.updates.at(-1)?.offset ?? -1;
  const recent = newest < offset ? flow.updates.filter(({ at }) => now - at <= WINDOW_S) : [];
  return { updates: [...recent, { at: now, offset }] };
}

/** Null while too little came to say. */
export function ratesOf(flow: Flow, now: number): Rates | null {
  const recent = flow.updates.filter(({ at }) => now - at <= WINDOW_S);
  const first = recent[0];
  const last = recent.at(-1);
  if (!first || !last || last.at - first.at < 1) return null;
  const seconds = last.at - first.at;
  return { recorded: (last.offset - first.offset) / seconds, told: (recent.length - 1) / seconds };
}
