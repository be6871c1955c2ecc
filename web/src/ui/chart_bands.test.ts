// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { Series } from '../session/series';
import { bandsOf, initials } from './chart_bands';

const mark = (phase: string, offset: number) => ({ phase, offset, step: null, epoch: null, at: 0 });

function seriesTo(last: number): Series {
  const series = new Series();
  for (let i = 0; i <= last; i++) {
    series.append({ offset: i, step: i * 10, at: 100 + i, values: [['loss', 1]] });
  }
  return series;
}

describe('ui/chart_bands', () => {
  it('goes from the record of a phase to that of the next, the last on and on', () => {
    const phases = [mark('WARMUP', 2), mark('PLATEAU', 5)];
    expect(bandsOf(phases, seriesTo(9), 'step')).toEqual([
      { phase: 'WARMUP', from: 20, to: 50 },
      { phase: 'PLATEAU', from: 50, to: Infinity },
    ]);
    expect(bandsOf(phases, seriesTo(9), 'relative')[0]).toMatchObject({ from: 2, to: 5 });
  });

  it('leaves out what is not drawn yet, and what has no width', () => {
    const phases = [mark('WARMUP', 2), mark('PLATEAU', 2), mark('DIVERGING', 40)];
    expect(bandsOf(phases, seriesTo(9), 'step')).toEqual([
      { phase: 'PLATEAU', from: 20, to: Infinity },
    ]);
  });

  it('has initials for where there is no room', () => {
    expect(['PLATEAU', 'STABLE_CONVERGENCE'].map(initials)).toEqual(['P', 'SC']);
  });
});
