// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { chanceText, confidenceText, intervalText, placeText, velocityText } from './verdict_words';

const eta = { seconds: 4800, earliest: 3900, latest: 6600, confidence: 'High', reason: 'steady' };

describe('insight/verdict_words', () => {
  it('gives the time to come its interval, and why it is sure', () => {
    expect(intervalText(eta)).toBe('1h 5m – 1h 50m');
    expect(intervalText({ ...eta, latest: null })).toBeNull();
    expect(intervalText({ ...eta, latest: 3901 })).toBeNull();
    expect(confidenceText(eta)).toBe('High: steady');
    expect(confidenceText({ ...eta, reason: '' })).toBe('High');
  });

  it('signs what gets better', () => {
    expect(velocityText(0.044)).toBe('+4.4 %');
    expect(velocityText(-0.02)).toBe('−2.0 %');
    expect(velocityText(null)).toBe('–');
  });

  it('is never certain of a chance', () => {
    expect([0.001, 0.12, 0.999, null].map(chanceText)).toEqual(['< 1 %', '12 %', '> 99 %', '–']);
  });

  it('places by epoch, else by step', () => {
    expect(placeText({ epoch: 9, step: 900 })).toBe('epoch 9');
    expect(placeText({ epoch: null, step: 12000 })).toBe('step 12 000');
    expect(placeText({ epoch: null, step: null })).toBe('');
  });
});
