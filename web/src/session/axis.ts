// SPDX-License-Identifier: MIT
//
// What lies along the bottom of a chart.

export type Axis = 'step' | 'relative' | 'time' | 'epoch';

const ALWAYS: readonly Axis[] = ['step', 'relative', 'time'];
export const AXES: readonly Axis[] = [...ALWAYS, 'epoch'];

/** How trainers spell the epoch, the commonest first. */
const EPOCH_NAMES = ['epoch', 'current_epoch', 'currentEpoch', 'train/epoch', 'trainer/epoch'];

/** What a trainer calls its epoch, of the names it sends; undefined when it sends none. */
export function epochName(names: readonly string[]): string | undefined {
  return EPOCH_NAMES.find((name) => names.includes(name));
}

/** The axes that runs with these metrics can be drawn along. */
export function axesOf(runs: readonly (readonly string[])[]): readonly Axis[] {
  return runs.some((names) => epochName(names) !== undefined) ? AXES : ALWAYS;
}
