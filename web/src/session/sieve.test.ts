// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { Point } from '../proto/history';
import { Series } from './series';
import { bucketSize } from './thin';

describe('session/sieve', () => {
  const loss = (i: number) => Math.sin(i * 12.9898) * 43758.5453 - Math.floor(i / 7);
  const record = (i: number): Point => ({
    offset: i + 1,
    at: null,
    step: i,
    axis: i,
    values: [['loss', loss(i)]],
  });
  const curve = (series: Series) => [Array.from(series.xs('step')), Array.from(series.ys('loss'))];

  /** What the daemon answers: a series keeps the same as it chooses. */
  function history(from: number, end: number, points: number): Point[] {
    const daemon = new Series();
    daemon.keep(['loss'], points);
    for (let i = from; i < end; i++) daemon.append(record(i));
    return curve(daemon)[0]?.map(record) ?? [];
  }

  /** What a page does now and then. */
  function fill(series: Series, end: number): void {
    const { after, points } = series.gap;
    const suits = series.splice(after, history(Math.max(0, after), end, points), points);
    if (!suits) series.splice(-1, history(0, end, 100), 100);
  }

  it('keeps so many, the first and the last among them', () => {
    const series = new Series();
    series.keep(['loss'], 100);
    for (let i = 0; i < 10_000; i++) series.append(record(i));
    const x = series.xs('step');
    expect(x.length).toBeLessThanOrEqual(100);
    expect([x[0], x.at(-1)]).toEqual([0, 9999]);
  });

  it('is the same, whenever it was opened', () => {
    const live = new Series();
    live.keep(['loss'], 100);
    live.splice(-1, history(0, 50, 100));
    for (let i = 50; i < 5000; i++) {
      live.append(record(i));
      if (i % 7 === 0) live.xs('step');
      if (i % 300 === 0) fill(live, i + 1);
    }
    for (const end of [5000, 5001, 6000]) {
      fill(live, end);
      const reloaded = new Series();
      reloaded.keep(['loss'], 100);
      reloaded.splice(-1, history(0, end, 100));
      expect(curve(live)).toEqual(curve(reloaded));
    }
  });

  it('is the same again after a part of it was looked at closely', () => {
    const series = new Series();
    series.keep(['loss'], 100);
    series.splice(-1, history(0, 5000, 100));
    const before = curve(series);
    series.refine(Array.from({ length: 80 }, (_, i) => record(1000 + i)));
    expect(series.xs('step').length).toBeGreaterThan(150);
    series.coarsen();
    expect(curve(series)).toEqual(before);
  });

  it('asks for what it lacks in points that make no bucket wider', () => {
    const series = new Series();
    series.keep(['loss'], 100);
    series.splice(-1, history(0, 5000, 100));
    series.append(record(5600));
    const { after, points } = series.gap;
    expect(after).toBe(4864);
    expect(bucketSize(after, 5600, points)).toBeLessThanOrEqual(256);
    expect(points).toBeLessThan(60);
  });
});
