// SPDX-License-Identifier: MIT
//
// What tells runs apart. The colour comes from the id, so a run has the same one on every page and
// for ever; the dashes come from its place among those drawn, so two runs that share a colour, or
// look alike to somebody, still differ. Every colour has a contrast of 3:1 and more to its panel.
import type { Theme } from './view';

export const PALETTES: Readonly<Record<Theme, readonly string[]>> = {
  light: [
    '#2456c8',
    '#b4560f',
    '#1d7a4a',
    '#7c3aed',
    '#c2185b',
    '#00758f',
    '#7a6a00',
    '#6d4c41',
    '#c62828',
    '#4a6070',
  ],
  dark: [
    '#82a8ff',
    '#eea35f',
    '#58c48c',
    '#bd93ff',
    '#ff8fb8',
    '#4fc6e0',
    '#d4c04a',
    '#c9a394',
    '#ff8a80',
    '#a9bac4',
  ],
};

/** The validation loss beside the loss of the one run that is drawn. */
export const VALIDATION: Readonly<Record<Theme, string>> = { light: '#4b4e57', dark: '#d5d8df' };

const DASHES: readonly (readonly number[])[] = [[], [8, 4], [2, 3], [12, 3, 2, 3]];

/** FNV-1a: the same id gives the same number everywhere. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193) >>> 0;
  }
  return value;
}

export function colourOf(run: string, theme: Theme): string {
  const palette = PALETTES[theme];
  // The low bits of FNV alone repeat for ids that differ in their last letter.
  const value = hash(run);
  return palette[(((value >>> 16) ^ value) >>> 0) % palette.length] as string;
}

/** A colour of the style sheet, as it is now. */
export function colourNow(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export function dashOf(place: number): number[] {
  return [...(DASHES[place % DASHES.length] as readonly number[])];
}
