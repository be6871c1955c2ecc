// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { Series } from '../session/series';
import type { ChartLine } from './chart_lines';
import { tableRows } from './chart_table';

const series = new Series();
for (let offset = 0; offset < 1000; offset++) {
  series.append({ offset, at: null, step: offset, values: [['loss', offset]] });
}
const line: ChartLine = {
  run: 'a',
  label: 'a',
  goal: 'min',
  metric: 'loss',
  series,
  colour: '#000000',
  dash: [],
};

describe('ui/chart_table', () => {
  it('has a readable number of rows, and the last one always', () => {
    const rows = tableRows(line, 'step', null);
    expect(rows).toHaveLength(40);
    expect(rows.at(-1)).toEqual([999, 999]);
  });

  it('has what is in view', () => {
    expect(tableRows(line, 'step', [5, 7])).toEqual([
      [5, 5],
      [6, 6],
      [7, 7],
    ]);
    expect(tableRows({ ...line, metric: 'none' }, 'step', null)).toEqual([]);
  });
});
