// SPDX-License-Identifier: MIT
//
// The keyboard's way over a chart: which key moves where, among the places that are drawn.
import type { Cell } from '../session/grid';

/** How many places the larger step passes. */
const LEAP = 10;

type Move = (at: number, end: number) => number;

const MOVES: Readonly<Record<string, Move>> = {
  ArrowLeft: (at) => at - 1,
  ArrowRight: (at) => at + 1,
  PageUp: (at) => at - LEAP,
  PageDown: (at) => at + LEAP,
  Home: () => 0,
  End: (_, end) => end,
};

/** Keys that go to another line, and by how many. */
export const LINE_MOVES: Readonly<Record<string, number>> = { ArrowUp: -1, ArrowDown: 1 };

/** Keys that look closer or at more; the share of what is in view that will be. */
export const ZOOMS: Readonly<Record<string, number>> = { '+': 0.5, '=': 0.5, '-': 2 };

/** Indices of a column that have a value. */
function filled(column: readonly Cell[]): number[] {
  return column.flatMap((cell, i) => (typeof cell === 'number' ? [i] : []));
}

/**
 * The index in `column` to go to with a key, from the place `x` (null: the cursor is nowhere, and
 * comes in at the end). Null when the key means nothing, or there is nothing to go to.
 */
export function moved(
  key: string,
  xs: readonly number[],
  column: readonly Cell[],
  x: number | null,
): number | null {
  const move = MOVES[key];
  const places = filled(column);
  if (!move || places.length === 0) return null;
  const end = places.length - 1;
  if (x === null) return places[key === 'Home' ? 0 : end] as number;
  let at = 0;
  while (at < end && (xs[places[at + 1] as number] as number) <= x) at++;
  return places[Math.min(end, Math.max(0, move(at, end)))] as number;
}

/** What is in view after looking closer around `x`, or at more; null: everything is. */
export function zoomed(
  [from, to]: readonly [number, number],
  x: number | null,
  share: number,
  [first, last]: readonly [number, number],
): readonly [number, number] | null {
  const middle = x ?? (from + to) / 2;
  const low = middle - (middle - from) * share;
  const high = middle + (to - middle) * share;
  return low <= first && high >= last ? null : [Math.max(first, low), Math.min(last, high)];
}
