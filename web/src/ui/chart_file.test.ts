// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { Series } from '../session/series';
import { chartCsv, chartJson, fileName, recordsAddress, type ChartContent } from './chart_file';
import type { ChartLine } from './chart_lines';
import { parseView } from './view';

function line(run: string, values: number[]): ChartLine {
  const series = new Series();
  values.forEach((value, i) => {
    const values = Number.isNaN(value) ? [] : [['loss', value] as const];
    series.append({ offset: i + 1, at: 1000 + i, step: i * 10, values });
  });
  return { run, label: run, metric: 'loss', series, colour: '#000000', dash: [], goal: 'min' };
}

function content(more: Partial<ChartContent> = {}): ChartContent {
  const lines = [line('a', [3, NaN, 1.23456789]), line('b,"c"', [2, Infinity])];
  return { metric: 'loss', lines, view: parseView(''), extent: [0, 20], ...more };
}

describe('ui/chart_file', () => {
  it('has a row a value, at full precision, and none for what was not sent', () => {
    expect(chartCsv(content()).split('\r\n')).toEqual([
      'run,metric,offset,step,time,value',
      'a,loss,1,0,1000,3',
      'a,loss,3,20,1002,1.23456789',
      '"b,""c""",loss,1,0,1000,2',
      '"b,""c""",loss,2,10,1001,NaN',
      '',
    ]);
  });

  it('has what is in view, and no more', () => {
    expect(chartCsv(content({ extent: [5, 10] })).split('\r\n')).toHaveLength(3);
  });

  it('is the same as JSON, a curve a line', () => {
    const read = JSON.parse(chartJson(content())) as { lines: object[]; axis: string };
    expect(read.axis).toBe('step');
    expect(read.lines[0]).toEqual({
      run: 'a',
      metric: 'loss',
      offset: [1, 3],
      step: [0, 20],
      time: [1000, 1002],
      value: [3, 1.23456789],
    });
    expect(read.lines[1]).toMatchObject({ value: [2, 'NaN'] });
  });

  it('names files after the run, or after the metric of several', () => {
    const lines = [line('a:1', [1])];
    expect(fileName({ metric: 'val/acc', lines }, 'png')).toBe('a_1-val_acc.png');
    expect(fileName(content(), 'csv')).toBe('loss.csv');
  });

  it('knows where every record is', () => {
    expect(recordsAddress('a b', 'val/acc')).toBe(
      'api/training/history/a%20b?format=csv&fields=val%2Facc&limit=1000000000000',
    );
  });
});
