// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { placeText, xText, yText } from './axis_text';

describe('ui/axis_text', () => {
  it('has whole steps alone', () => {
    expect([xText('step', 1500, 500), xText('step', 0.5, 0.5)]).toEqual(['1 500', '']);
    expect(xText('step', 2e6, 1e6)).toBe('2.00 M');
  });

  it('has durations and times', () => {
    expect(xText('relative', 90, 30)).toBe('1m 30s');
    expect(xText('time', 1_800_000_030, 10)).toMatch(/^\d\d:\d\d:30$/);
    expect(xText('time', 1_800_000_000, 600)).toMatch(/^\d\d:\d\d$/);
    expect(placeText('step', 12.2)).toBe('step 12');
  });

  it('has values short', () => {
    expect([yText(0.25), yText(0.00002), yText(0), yText(25_000)]).toEqual([
      '0.25',
      '2e−5',
      '0',
      '25.0 k',
    ]);
  });
});
