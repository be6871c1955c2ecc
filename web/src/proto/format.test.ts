// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { age, count, decimals, duration, formatMetric, formatOther, magnitude } from './format';

describe('proto/format', () => {
  it('says when there is no value, or none that is a number', () => {
    expect(formatMetric('loss', undefined)).toBe('–');
    expect(formatMetric('loss', NaN)).toBe('NaN');
    expect(formatMetric('perplexity', Infinity)).toBe('∞');
    expect(formatMetric('currentStep', -Infinity)).toBe('−∞');
    expect(formatMetric('trainingTime', NaN)).toBe('NaN');
  });

  it('keeps the decimals of the wire', () => {
    expect(formatMetric('loss', 2.5)).toBe('2.5000');
    expect(formatMetric('grokProgress', 33.349999)).toBe('33.3 %');
    expect(decimals(-0.5, 1)).toBe('−0.5');
  });

  it('parts thousands', () => {
    expect([0, 999, 1000, 1234567].map(count)).toEqual(['0', '999', '1 000', '1 234 567']);
  });

  it('names sizes', () => {
    expect([512, 227456, 25e6, 7.24e9, 1e12].map(magnitude)).toEqual([
      '512',
      '227 k',
      '25.0 M',
      '7.24 B',
      '1.00 T',
    ]);
  });

  it('truncates spans of time', () => {
    const spans = [-3, 0, 59.9, 60, 187, 3599, 3600, 90061];
    expect(spans.map(duration)).toEqual([
      '0s',
      '0s',
      '59s',
      '1m 00s',
      '3m 07s',
      '59m 59s',
      '1h 00m',
      '25h 01m',
    ]);
  });

  it('tells an age in one unit', () => {
    expect([0, 1.9, 2, 59, 60, 3600, 90000].map(age)).toEqual([
      'now',
      'now',
      '2 s ago',
      '59 s ago',
      '1 min ago',
      '1 h ago',
      '1 d ago',
    ]);
  });

  it('shows a trainer’s own float to six digits', () => {
    expect([1e-5, 0.31234567, -2e-9, 3].map(formatOther)).toEqual([
      '0.00001',
      '0.312346',
      '−2e−9',
      '3',
    ]);
    expect(formatOther(NaN)).toBe('NaN');
  });
});
