// SPDX-License-Identifier: MIT
//
// Where records stand along a chart. History says it of its entries; a live update is placed by the
// daemon's own rule (its axis.h): as far on as its step is, one on where the step falls (the next
// model) or where there are no steps. A clock that was set back lets the line go on from where it is:
// a line never runs backwards.
import type { Columns } from './columns';

function ahead(step: number, before: number): number {
  const by = step - before;
  return Number.isNaN(by) || by < 0 ? 1 : by;
}

/** Fills in `x`, `at` and `since` of the points from index `from` on. */
export function place({ step, axis, x, at, since, length }: Columns, from: number): void {
  for (let i = from; i < length; i++) {
    const now = step[i] as number;
    const first = Number.isNaN(now) ? 0 : now;
    const next = i > 0 ? (x[i - 1] as number) + ahead(now, step[i - 1] as number) : first;
    const told = axis[i] as number;
    x[i] = Math.max(Number.isNaN(told) ? next : told, i > 0 ? (x[i - 1] as number) : 0);
    if (i > 0 && !((at[i] as number) >= (at[i - 1] as number))) at[i] = at[i - 1] as number;
    since[i] = (at[i] as number) - (at[0] as number);
  }
}

/** Indices of the points before which a step fell, be that one kept or not. */
export function falls({ step, x, length }: Columns): number[] {
  const found: number[] = [];
  for (let i = 1; i < length; i++) {
    const by = (step[i] as number) - (step[i - 1] as number);
    if (by < (x[i] as number) - (x[i - 1] as number)) found.push(i);
  }
  return found;
}
