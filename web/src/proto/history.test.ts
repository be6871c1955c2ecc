// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { decodeHistory, drawnMetrics, pointOf } from './history';
import { decodeMetrics, type Metrics } from './metrics';
import { decodeSession } from './session';

describe('proto/history', () => {
  it('makes an entry a point', () => {
    const history = [
      { offset: 4, serverTime: 1, loss: 2.5, currentStep: 10, val_loss: 3 },
      { offset: 5, serverTime: 2, loss: null, nonFinite: { loss: 'NaN' } },
    ];
    const points = decodeHistory({ success: true, data: history, sessionId: 'a', total: 2 });
    expect(points?.[0]).toEqual({
      offset: 4,
      at: 1,
      step: 10,
      values: [
        ['loss', 2.5],
        ['val_loss', 3],
      ],
    });
    expect(points?.[1]).toEqual({ offset: 5, at: 2, step: undefined, values: [['loss', NaN]] });
  });

  it('makes a live update the same point, at the time that the record says', () => {
    const record = decodeMetrics({ loss: 2.5, currentStep: 10, timestamp: 7 }) as Metrics;
    expect(pointOf(4, null, record)).toEqual({
      offset: 4,
      at: 7,
      step: 10,
      values: [['loss', 2.5]],
    });
  });

  it('draws what the trainer sends and not what the daemon worked out', () => {
    const summary = { loss: {}, lr: {}, 'val/acc': {}, 'a,b': {} };
    const run = decodeSession({ session_id: 'a', derived: ['perplexity'], summary });
    expect(drawnMetrics(run)).toEqual(['loss', 'grokProgress', 'lr', 'val/acc']);
  });

  it('draws the losses of a run of which no more is known', () => {
    expect(drawnMetrics(null)).toContain('val_loss');
    expect(drawnMetrics(decodeSession({ session_id: 'a' }))).toContain('loss');
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
