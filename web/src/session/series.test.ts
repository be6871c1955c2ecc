// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { Point } from '../proto/history';
import { Series } from './series';

function point(offset: number, more: Partial<Point> = {}): Point {
  return { offset, at: null, step: offset * 10, values: [['loss', offset / 2]], ...more };
}

function points(from: number, to: number): Point[] {
  return Array.from({ length: to - from + 1 }, (_, i) => point(from + i));
}

function offsets(series: Series): number[] {
  return Array.from(series.xs('step'), (x) => x / 10);
}

describe('session/series', () => {
  it('grows with live points and drops repeats', () => {
    const series = new Series();
    for (const offset of [0, 1, 1, 0, 2]) series.append(point(offset));
    expect(series.length).toBe(3);
    expect(Array.from(series.ys('loss'))).toEqual([0, 0.5, 1]);
    expect([series.newest, series.solidTo, series.isProvisional]).toEqual([2, -1, true]);
  });

  it('fills a hole from history and keeps newer live points', () => {
    const series = new Series();
    for (const offset of [0, 1, 4, 8, 9]) series.append(point(offset));
    series.splice(1, points(2, 6));
    expect(offsets(series)).toEqual([0, 1, 2, 3, 4, 5, 6, 8, 9]);
    expect(series.solidTo).toBe(6);
    series.splice(6, points(7, 7));
    expect(offsets(series)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect([series.solidTo, series.isProvisional]).toEqual([7, true]);
    series.splice(7, points(8, 9));
    expect([series.solidTo, series.isProvisional]).toEqual([9, false]);
  });

  it('takes thinned history as complete', () => {
    const series = new Series();
    series.splice(-1, [point(0), point(50), point(99)]);
    series.append(point(100));
    expect([series.length, series.solidTo, series.gap.after]).toEqual([4, 99, 99]);
  });

  it('is not shaken by an empty history', () => {
    const series = new Series();
    series.splice(-1, []);
    expect([series.length, series.newest, series.solidTo]).toEqual([0, -1, -1]);
    series.append(point(3));
    series.splice(-1, []);
    expect(offsets(series)).toEqual([3]);
  });

  it('is replaced whole by history that starts before everything', () => {
    const series = new Series();
    for (const offset of [0, 1, 2, 3]) series.append(point(offset));
    series.splice(-1, [point(0), point(3)]);
    expect(offsets(series)).toEqual([0, 3]);
  });

  it('lets the line go on where steps fall back', () => {
    const series = new Series();
    [100, 200, 50, 60].forEach((step, offset) => {
      series.append(point(offset, { step }));
    });
    expect(Array.from(series.xs('step'))).toEqual([100, 200, 201, 211]);
    expect(series.breaks).toEqual([2]);
    series.splice(-1, [point(0, { step: 100 }), point(3, { step: 110 })]);
    expect(series.breaks).toEqual([]);
  });

  it('stands where history says, and knows of a fall that it does not hold', () => {
    const series = new Series();
    series.splice(-1, [point(0, { step: 5, axis: 5 }), point(9, { step: 8, axis: 14 })]);
    series.append(point(10, { step: 9 }));
    expect(Array.from(series.xs('step'))).toEqual([5, 14, 15]);
    expect(series.breaks).toEqual([1]);
  });

  it('places points anew after a splice', () => {
    const series = new Series();
    series.append(point(0));
    series.append(point(4));
    series.xs('step');
    series.splice(0, [point(2), point(3)]);
    expect(Array.from(series.xs('step'))).toEqual([0, 20, 30, 40]);
  });

  it('counts records when the trainer counts no steps', () => {
    const series = new Series();
    for (const offset of [3, 4, 5]) series.append(point(offset, { step: undefined }));
    expect(Array.from(series.xs('step'))).toEqual([0, 1, 2]);
    expect(series.breaks).toEqual([]);
  });

  it('tells a loss that was not sent from one that is no number', () => {
    const series = new Series();
    series.append(point(0, { values: [['lr', 1]] }));
    series.append(point(1, { values: [['loss', NaN]] }));
    expect(Array.from(series.ys('loss'))).toEqual([NaN, Infinity]);
  });

  it('keeps ten thousand points through its growth', () => {
    const series = new Series();
    for (let offset = 0; offset < 10_000; offset++) series.append(point(offset));
    const x = series.xs('step');
    expect([x.length, x[0], x[5000], x[9999]]).toEqual([10_000, 0, 50_000, 99_990]);
  });

  it('forgets everything when cleared, and says so', () => {
    const series = new Series();
    series.append(point(0));
    const { version } = series;
    series.clear();
    expect([series.length, series.newest, series.solidTo]).toEqual([0, -1, -1]);
    expect(series.version).toBeGreaterThan(version);
  });

  it('lies along time as well, which never runs backwards', () => {
    const series = new Series();
    [100, 101, 99, null, 105].forEach((at, offset) => {
      series.append(point(offset, { at }));
    });
    expect(Array.from(series.xs('time'))).toEqual([100, 101, 101, 101, 105]);
    expect(Array.from(series.xs('relative'))).toEqual([0, 1, 1, 1, 5]);
  });

  it('has a column for each metric, with holes where it was not sent', () => {
    const series = new Series();
    series.append(point(0, { values: [['loss', 1]] }));
    series.append(point(1, { values: [['lr', 2]] }));
    expect(series.names).toEqual(['loss', 'lr']);
    expect(Array.from(series.ys('lr'))).toEqual([NaN, 2]);
    expect(series.ys('other')).toHaveLength(0);
  });

  it('leaves no old value behind in a hole', () => {
    const series = new Series();
    for (const offset of [0, 1, 2]) series.append(point(offset));
    series.splice(-1, [point(0), point(1, { values: [] }), point(2)]);
    expect(Array.from(series.ys('loss'))).toEqual([0, NaN, 1]);
  });

  it('takes raw points between thinned ones, and is no more and no less complete', () => {
    const series = new Series();
    series.splice(-1, [point(0), point(4), point(8)]);
    series.append(point(20));
    series.refine(points(3, 5));
    expect(offsets(series)).toEqual([0, 3, 4, 5, 8, 20]);
    expect([series.solidTo, series.isProvisional]).toEqual([8, true]);
  });

  describe('after a rewind', () => {
    it('forgets at once what is superseded, and goes on where that stood', () => {
      const series = new Series();
      [1, 2, 3, 4, 5].forEach((step, i) => {
        series.append(point(i + 1, { step }));
      });
      series.rewind(6, 3);
      expect(Array.from(series.xs('step'))).toEqual([1, 2]);
      series.append(point(6, { step: 3 }));
      series.append(point(7, { step: 4 }));
      expect(Array.from(series.xs('step'))).toEqual([1, 2, 3, 4]);
      expect(series.breaks).toEqual([]);
    });

    it('leaves what came after it, and the models before', () => {
      const series = new Series();
      [8, 9, 1, 2, 3, 2].forEach((step, i) => {
        series.append(point(i + 1, { step }));
      });
      series.rewind(6, 1);
      expect(Array.from(series.xs('step'))).toEqual([8, 9, 10]);
      expect(series.newest).toBe(6);
    });

    it('is not shaken when there is nothing to forget', () => {
      const series = new Series();
      series.rewind(5, 0);
      series.append(point(1));
      series.rewind(2, 100);
      expect(series.length).toBe(1);
    });
  });
});
