// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { Series } from '../session/series';
import { chartGroups, extentOf, groupOf, type DrawnRun } from './chart_lines';

function run(id: string, ...metrics: string[]): DrawnRun {
  return { id, label: id, series: new Series(), metrics, goalOf: () => 'min' };
}

describe('ui/chart_lines', () => {
  it('has the loss first and groups the others by their prefix', () => {
    const groups = chartGroups(
      [run('a', 'lr', 'loss', 'grad/norm', 'val/acc', 'grad/max')],
      'light',
    );
    expect(
      groups.map(({ title, charts }) => [title, ...charts.map(({ metric }) => metric)]),
    ).toEqual([
      ['', 'loss', 'lr'],
      ['grad', 'grad/norm', 'grad/max'],
      ['val', 'val/acc'],
    ]);
    expect(groupOf('/odd')).toBe('');
  });

  it('overlays the runs that have the metric', () => {
    const groups = chartGroups([run('a', 'loss', 'lr'), run('b', 'loss')], 'light');
    const charts = groups[0]?.charts ?? [];
    expect(charts.map(({ lines }) => lines.map(({ label }) => label))).toEqual([['a', 'b'], ['a']]);
    expect(charts[0]?.lines[0]?.dash).not.toEqual(charts[0]?.lines[1]?.dash);
  });

  it('draws the validation loss beside the loss while there is one run', () => {
    const labels = (runs: DrawnRun[]) =>
      chartGroups(runs, 'dark')[0]?.charts.map(({ lines }) => lines.map(({ metric }) => metric));
    const a = run('a', 'loss', 'val_loss');
    expect(labels([a])).toEqual([['loss', 'val_loss']]);
    expect(labels([a, run('b', 'loss')])).toEqual([['loss', 'loss'], ['val_loss']]);
  });

  it('knows from where to where there is something', () => {
    expect(extentOf([Float64Array.from([3, 9]), Float64Array.from([1, 2])])).toEqual([1, 9]);
    expect(extentOf([Float64Array.from([3])])).toEqual([2.5, 3.5]);
    expect(extentOf([new Float64Array(0)])).toEqual([0, 1]);
  });
});
