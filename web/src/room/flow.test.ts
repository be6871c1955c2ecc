// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { onUpdate, ratesOf, still, type Flow } from './flow';

/** Ten updates a second for some seconds, each `step` records after the one before. */
function flowing(seconds: number, step: number): Flow {
  let flow = still;
  for (let i = 0; i <= seconds * 10; i++) flow = onUpdate(flow, i * step, i / 10);
  return flow;
}

describe('room/flow', () => {
  it('tells how much of what is recorded is told', () => {
    const rates = ratesOf(flowing(4, 30), 4);
    expect(rates?.recorded).toBeCloseTo(300);
    expect(rates?.told).toBeCloseTo(10);
  });

  it('looks back on a few seconds and no more', () => {
    expect(flowing(60, 1).updates.length).toBeLessThan(60);
    expect(ratesOf(flowing(4, 1), 60)).toBeNull();
  });

  it('says nothing after one update, or when offsets went back', () => {
    expect(ratesOf(onUpdate(still, 5, 0), 0)).toBeNull();
    expect(onUpdate(flowing(4, 1), 0, 4).updates).toEqual([{ at: 4, offset: 0 }]);
  });
});
