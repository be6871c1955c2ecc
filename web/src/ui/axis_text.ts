// SPDX-License-Identifier: MIT
//
// The numbers along the axes.
import { count, duration, magnitude, formatOther } from '../proto/format';
import type { Axis } from '../session/axis';

export const AXIS_NAMES: Readonly<Record<Axis, string>> = {
  step: 'Step',
  relative: 'Elapsed',
  time: 'Time',
  epoch: 'Epoch',
};

const two = (part: number) => String(part).padStart(2, '0');

/** Distances between marks on a clock's face. */
export const CLOCK_STEPS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400,
  172_800, 604_800, 1_209_600, 2_592_000,
];

/** A time of day; with its date where the day begins, with its seconds where marks are near. */
function clock(seconds: number, apart: number): string {
  const at = new Date(seconds * 1000);
  const date = at.toLocaleDateString([], { day: 'numeric', month: 'short' });
  if (apart >= 86_400 || (at.getHours() === 0 && at.getMinutes() === 0 && apart >= 60)) return date;
  const time = `${two(at.getHours())}:${two(at.getMinutes())}`;
  return apart < 60 ? `${time}:${two(at.getSeconds())}` : time;
}

/** The text of a mark of the x axis; marks are `apart` from each other. */
export function xText(axis: Axis, value: number, apart: number): string {
  if (axis === 'time') return clock(value, apart);
  if (axis === 'relative') return duration(value);
  if (axis === 'epoch') return formatOther(Number(value.toPrecision(6)));
  if (!Number.isInteger(value)) return '';
  return value >= 1e6 ? magnitude(value) : count(value);
}

/** The text of one place, as a tooltip has it. */
export function placeText(axis: Axis, value: number): string {
  if (axis === 'step') return `step ${count(Math.round(value))}`;
  if (axis === 'epoch') return `epoch ${value.toFixed(2)}`;
  return xText(axis, value, 1);
}

export function yText(value: number, digits = 6): string {
  if (value !== 0 && Math.abs(value) < 1e-3) return value.toExponential(0).replace(/-/g, '−');
  return Math.abs(value) >= 1e4 ? magnitude(value) : formatOther(Number(value.toPrecision(digits)));
}
