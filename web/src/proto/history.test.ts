// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { decodeHistory, pointOf } from './history';
import { decodeMetrics, type Metrics } from './metrics';

function metrics(record: object): Metrics {
  return decodeMetrics(record) as Metrics;
}

describe('proto/history', () => {
  it('makes an entry a point', () => {
    const history = [
      { offset: 4, serverTime: 1, loss: 2.5, currentStep: 10, val_loss: 3 },
      { offset: 5, serverTime: 2, loss: null, nonFinite: { loss: 'NaN' } },
    ];
    const points = decodeHistory({ success: true, data: { sessionId: 'a', history, total: 2 } });
    expect(points).toEqual([
      { offset: 4, step: 10, loss: 2.5, valLoss: 3 },
      { offset: 5, step: undefined, loss: NaN, valLoss: undefined },
    ]);
  });

  it('counts steps over all models of a run', () => {
    const record = metrics({ currentStep: 50, totalSteps: 100, currentModel: 3, totalModels: 3 });
    expect(pointOf(0, record).step).toBe(250);
  });

  it('passes over entries without an offset', () => {
    const data = { sessionId: 'a', history: [{ loss: 1 }, 7, null], total: 3 };
    expect(decodeHistory({ success: true, data })).toEqual([]);
  });

  it('takes no error for an empty history', () => {
    expect(decodeHistory({ success: false })).toBeNull();
  });
});
