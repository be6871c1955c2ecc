// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { axesOf, epochName } from './axis';

describe('session/axis', () => {
  it('knows an epoch by its commonest names', () => {
    expect(epochName(['loss', 'train/epoch', 'epoch'])).toBe('epoch');
    expect(epochName(['loss', 'train/epoch'])).toBe('train/epoch');
    expect(epochName(['loss', 'epochs_total'])).toBeUndefined();
  });

  it('offers epochs when any of the runs says its own', () => {
    expect(axesOf([['loss'], ['loss']])).toEqual(['step', 'relative', 'time']);
    expect(axesOf([['loss'], ['loss', 'epoch']])).toEqual(['step', 'relative', 'time', 'epoch']);
    expect(axesOf([])).not.toContain('epoch');
  });
});
