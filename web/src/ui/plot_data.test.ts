// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { plotData } from './plot_data';

const x = Float64Array.of(1, 2, 3);
const breaks: number[] = [];
const none = Float64Array.of(NaN, NaN, NaN);

describe('ui/plot_data', () => {
  it('hands whole columns over as they are', () => {
    const loss = Float64Array.of(3, 2, 1);
    const data = plotData({ axis: 'step', x, loss, valLoss: none, breaks });
    expect(data.loss).toBe(loss);
    expect(data.x).toBe(x);
  });

  it('passes over what was not sent and interrupts at what was no number', () => {
    const loss = Float64Array.of(3, NaN, Infinity);
    expect(plotData({ axis: 'step', x, loss, valLoss: none, breaks }).loss).toEqual([
      3,
      undefined,
      null,
    ]);
  });

  it('has a validation line as soon as one value was sent', () => {
    const line = { axis: 'record' as const, x, loss: none, breaks };
    expect(plotData({ ...line, valLoss: none }).hasValLoss).toBe(false);
    expect(plotData({ ...line, valLoss: Float64Array.of(NaN, NaN, 1) }).hasValLoss).toBe(true);
  });
});
