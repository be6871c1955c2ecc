// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { Series } from '../session/series';
import type { ChartLine } from './chart_lines';
import { valueAt, valueText } from './tooltip';
import { parseView } from './view';

const series = new Series();
[
  [0, 5],
  [10, NaN],
  [20, 7],
].forEach(([step, value], offset) => {
  const values = Number.isNaN(value) ? [] : [['lr', value as number] as const];
  series.append({ offset, at: null, step, values });
});
const line: ChartLine = {
  run: 'a',
  label: 'a',
  goal: 'min',
  metric: 'lr',
  series,
  colour: '#000000',
  dash: [],
};

describe('ui/tooltip', () => {
  it('finds the nearest value that was sent', () => {
    const at = (x: number) => valueAt(line, parseView(''), x);
    expect([at(-5), at(4), at(16), at(99)]).toEqual([5, 5, 7, 7]);
    expect(valueAt({ ...line, metric: 'other' }, parseView(''), 0)).toBeUndefined();
  });

  it('writes a loss as everywhere, and others as they are', () => {
    expect([valueText('loss', 1.23456), valueText('lr', 1e-5)]).toEqual(['1.2346', '0.00001']);
    expect(valueText('loss', Infinity)).toBe('NaN');
  });
});
