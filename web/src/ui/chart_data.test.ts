// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { Series } from '../session/series';
import { chartData } from './chart_data';
import type { ChartLine } from './chart_lines';
import { parseView } from './view';

const view = parseView('');

function line(values: number[]): ChartLine {
  const series = new Series();
  const points = values.map((value, offset) => ({
    offset,
    at: offset,
    step: offset,
    values: [['loss', value]] as [string, number][],
  }));
  series.splice(-1, points);
  return { run: 'a', label: 'a', goal: 'min', metric: 'loss', series, colour: '#000000', dash: [] };
}

describe('ui/chart_data', () => {
  it('has one column a line while there are few points', () => {
    const data = chartData([line([3, 2]), line([1])], view, [0, 1], 100);
    expect(data.columns).toEqual([
      [0, 1],
      [3, 2],
      [1, undefined],
    ]);
    expect(data.shape).toEqual({ banded: false, smoothed: false });
    expect(data.range[0]).toBeLessThan(1);
    expect(data.range[1]).toBeGreaterThan(3);
  });

  it('has the original below what is smoothed, and a band when there are many points', () => {
    const many = line(Array.from({ length: 500 }, (_, i) => i % 7));
    const data = chartData([many], { ...view, smoothing: 0.9 }, [0, 499], 50);
    expect(data.shape).toEqual({ banded: true, smoothed: true });
    expect(data.columns).toHaveLength(5);
    const lengths = new Set(data.columns.map((column) => column.length));
    expect(lengths.size).toBe(1);
  });

  it('leaves out of a log axis what has no logarithm', () => {
    const data = chartData([line([1, 0, -1, 10])], { ...view, log: true }, [0, 3], 100);
    expect(data.columns[1]).toEqual([1, undefined, undefined, 10]);
    expect(data.range[0]).toBeGreaterThan(0);
  });

  it('draws nothing of a metric that never came', () => {
    const other = { ...line([1, 2]), metric: 'lr' };
    expect(chartData([other], view, [0, 1], 100).columns).toEqual([[], []]);
  });
});
