// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { carryOver, decodeMetrics, valLossName } from './metrics';

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
      expect(valLossName(['acc', name])).toBe(name);
    },
  );

  it('keeps the last of a name that a record does not carry, in its place', () => {
    const epoch = {
      named: { loss: 2 },
      others: [
        ['val_loss', 1],
        ['acc', 0.5],
      ],
    } as const;
    const step = {
      named: { loss: 1 },
      others: [
        ['grad', 3],
        ['acc', 0.6],
      ],
    } as const;
    expect(carryOver(epoch, step)).toEqual({
      named: { loss: 1 },
      others: [
        ['val_loss', 1],
        ['acc', 0.6],
        ['grad', 3],
      ],
    });
    expect(carryOver(null, step)).toEqual(step);
  });

  it('does not keep names without end', () => {
    let metrics = carryOver(null, { named: {}, others: [] });
    for (let i = 0; i < 500; i++)
      metrics = carryOver(metrics, { named: {}, others: [[`m${i}`, i]] });
    expect(metrics.others).toHaveLength(200);
  });

  it('has no validation loss when none was sent', () => {
    expect(valLossName(['loss'])).toBeUndefined();
  });
});
