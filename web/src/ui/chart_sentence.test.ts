// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { Series } from '../session/series';
import type { ChartLine, Goal } from './chart_lines';
import { sentencesOf } from './chart_sentence';
import { parseView } from './view';

const view = parseView('');

function line(metric: string, label: string, goal: Goal, values: readonly number[]): ChartLine {
  const series = new Series();
  values.forEach((value, i) => {
    series.append({ offset: i, at: null, step: i, values: [[metric, value]] });
  });
  return { run: 'a', label, metric, series, colour: '#000000', dash: [], goal };
}

describe('ui/chart_sentence', () => {
  it('says last, trend and best of each line', () => {
    const lines = [
      line('loss', 'loss', 'min', [3, 1, 2]),
      line('val/acc', 'run b', 'max', [0.1, 0.9, 0.5]),
    ];
    expect(sentencesOf(lines, view, [0, 2])).toEqual([
      'loss: last 2.0000, rising; best 1.0000 at step 1; from 1.0000 to 3.0000.',
      'val/acc of run b: last 0.5, falling; best 0.9 at step 1; from 0.1 to 0.9.',
    ]);
  });

  it('calls nothing best of which neither more nor less is better', () => {
    expect(sentencesOf([line('lr', 'lr', 'min', [1, 2])], view, [0, 1])).toEqual([
      'lr: last 2, rising; from 1 to 2.',
    ]);
  });

  it('speaks of what is in view', () => {
    const lines = [line('loss', 'loss', 'min', [3, 1, 2])];
    expect(sentencesOf(lines, view, [0, 1])[0]).toContain('last 1.0000');
    expect(sentencesOf(lines, view, [7, 9])).toEqual(['loss: nothing in view.']);
  });

  it('waits for the first point', () => {
    expect(sentencesOf([line('loss', 'loss', 'min', [])], view, [0, 1])).toEqual([
      'Waiting for the first point …',
    ]);
  });
});
