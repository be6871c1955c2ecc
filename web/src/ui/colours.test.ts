// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { colourOf, dashOf, PALETTES, VALIDATION } from './colours';

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.03928 ? part / 12.92 : Math.pow((part + 0.055) / 1.055, 2.4);
  });
  return 0.2126 * (r as number) + 0.7152 * (g as number) + 0.0722 * (b as number);
}

function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return ((high as number) + 0.05) / ((low as number) + 0.05);
}

describe('ui/colours', () => {
  it.each([
    ['light', '#ffffff'],
    ['dark', '#1a1b1f'],
  ] as const)('stands out from the panel: %s', (theme, panel) => {
    for (const colour of [...PALETTES[theme], VALIDATION[theme]]) {
      expect(contrast(colour, panel)).toBeGreaterThan(3);
    }
  });

  it('never changes the colour of a run', () => {
    expect(colourOf('run-1', 'light')).toBe(colourOf('run-1', 'light'));
    const used = new Set(Array.from({ length: 40 }, (_, i) => colourOf(`run-${i}`, 'light')));
    expect(used.size).toBeGreaterThan(7);
    expect(used).not.toContain(undefined);
  });

  it('tells neighbours apart without colour', () => {
    expect(dashOf(0)).toEqual([]);
    expect(dashOf(1)).not.toEqual(dashOf(2));
    expect(dashOf(5)).toEqual(dashOf(1));
  });
});
