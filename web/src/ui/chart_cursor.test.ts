// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { moved, zoomed } from './chart_cursor';

const xs = [0, 10, 20, 30, 40];
const column = [5, undefined, 4, null, 3];
const go = (key: string, x: number | null) => moved(key, xs, column, x);

describe('ui/chart_cursor', () => {
  it('goes over the places that have a value, and stops at the ends', () => {
    expect([go('ArrowRight', 0), go('ArrowRight', 20), go('ArrowRight', 40)]).toEqual([2, 4, 4]);
    expect([go('ArrowLeft', 40), go('ArrowLeft', 20), go('ArrowLeft', 0)]).toEqual([2, 0, 0]);
    expect([go('Home', 20), go('End', 0), go('PageUp', 40), go('PageDown', 0)]).toEqual([
      0, 4, 0, 4,
    ]);
  });

  it('comes in at the newest point', () => {
    expect([go('ArrowLeft', null), go('ArrowRight', null), go('Home', null)]).toEqual([4, 4, 0]);
  });

  it('is between two places when points have come and gone', () => {
    expect([go('ArrowRight', 25), go('ArrowLeft', 25)]).toEqual([4, 0]);
  });

  it('leaves other keys, and a line without points, alone', () => {
    expect(go('a', 0)).toBeNull();
    expect(moved('End', xs, [undefined, null], 0)).toBeNull();
  });

  it('looks closer around the cursor and back to everything', () => {
    const whole = [0, 100] as const;
    expect(zoomed(whole, 20, 0.5, whole)).toEqual([10, 60]);
    expect(zoomed(whole, null, 0.5, whole)).toEqual([25, 75]);
    expect(zoomed([25, 75], null, 2, whole)).toBeNull();
    expect(zoomed([50, 75], null, 2, whole)).toEqual([37.5, 87.5]);
    expect(zoomed([80, 100], 100, 2, whole)).toEqual([60, 100]);
  });
});
