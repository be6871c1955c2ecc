// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { decodeHistory, POINT_FIELDS, pointOf } from './history';
import { decodeMetrics, type Metrics } from './metrics';

describe('proto/history', () => {
  it('makes an entry a point', () => {
    const history = [
      { offset: 4, serverTime: 1, loss: 2.5, currentStep: 10, val_loss: 3 },
      { offset: 5, serverTime: 2, loss: null, nonFinite: { loss: 'NaN' } },
    ];
    const points = decodeHistory({ success: true, data: history, sessionId: 'a', total: 2 });
    expect(points).toEqual([
      { offset: 4, at: 1, step: 10, loss: 2.5, valLoss: 3 },
      { offset: 5, at: 2, step: undefined, loss: NaN, valLoss: undefined },
    ]);
  });

  it('makes a live update the same point, but for the time, which it does not say', () => {
    const record = decodeMetrics({ loss: 2.5, currentStep: 10, val_loss: 3 }) as Metrics;
    expect(pointOf(4, null, record)).toEqual({
      offset: 4,
      at: null,
      step: 10,
      loss: 2.5,
      valLoss: 3,
    });
  });

  it('asks for all that a point is made of', () => {
    expect(POINT_FIELDS.split(',')).toContain('loss');
    expect(POINT_FIELDS.split(',')).toContain('val_loss');
  });

  it('passes over entries without an offset', () => {
    const data = [{ loss: 1 }, 7, null];
    expect(decodeHistory({ success: true, data, sessionId: 'a', total: 3 })).toEqual([]);
  });

  it('takes no error for an empty history', () => {
    expect(decodeHistory({ success: false })).toBeNull();
    expect(decodeHistory({ success: true, data: {} })).toBeNull();
  });
});
