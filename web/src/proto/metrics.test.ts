// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { decodeMetrics, valLoss } from './metrics';

describe('proto/metrics', () => {
  it('parts the twelve from the trainer’s own numbers and keeps their order', () => {
    const metrics = decodeMetrics({ loss: 0, currentStep: 7, lr: 1e-5, 'grad/norm': 2 });
    expect(metrics?.named).toEqual({ loss: 0, currentStep: 7 });
    expect(metrics?.others).toEqual([
      ['lr', 1e-5],
      ['grad/norm', 2],
    ]);
  });

  it('reads a non-finite number from its word, never as missing', () => {
    const words = { loss: 'NaN', up: 'Infinity', down: '-Infinity' };
    const metrics = decodeMetrics({ loss: null, up: null, down: null, nonFinite: words });
    expect(metrics?.named.loss).toBeNaN();
    expect(metrics?.others).toEqual([
      ['up', Infinity],
      ['down', -Infinity],
    ]);
  });

  it('passes over nulls without a word, other types, and the envelope of a history entry', () => {
    const entry = { loss: null, note: 'x', nested: {}, offset: 3, serverTime: 9, perplexity: 2 };
    expect(decodeMetrics(entry)).toEqual({ named: { perplexity: 2 }, others: [] });
  });

  it('refuses what is no record', () => {
    for (const other of [null, 3, 'x', []]) expect(decodeMetrics(other)).toBeNull();
  });

  it.each(['val_loss', 'valLoss', 'validation_loss', 'eval_loss', 'val/loss'])(
    'knows %s as the validation loss',
    (name) => {
      expect(
        valLoss({
          named: {},
          others: [
            ['acc', 1],
            [name, 0.5],
          ],
        }),
      ).toBe(0.5);
    },
  );

  it('has no validation loss when none was sent', () => {
    expect(valLoss({ named: { loss: 1 }, others: [] })).toBeUndefined();
  });
});
