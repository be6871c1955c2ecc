// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import numbers from '../../../tests/vectors/numbers.json';
import pythonRound from '../../../tests/vectors/python_round.json';
import { roundText, significantText } from './round';

describe('proto/round', () => {
  it.each(pythonRound as [number, number, number][])(
    'rounds %d to %d decimals as Python does',
    (...row) => {
      const [value, digits, rounded] = row;
      expect(Number(roundText(value, digits))).toBe(rounded);
    },
  );

  it.each(numbers.rounded as [string, number, string][])(
    'rounds %s to %d decimals as the daemon does',
    (...row) => {
      const [text, digits, rounded] = row;
      expect(Number(roundText(Number(text), digits))).toBe(Number(rounded));
    },
  );

  it.each(numbers.significant as [string, number, string][])(
    'keeps of %s %d significant digits',
    (...row) => {
      const [text, , rounded] = row;
      expect(Number(significantText(Number(text)))).toBe(Number(rounded));
    },
  );

  it('keeps the number of decimals, so that a column of numbers does not dance', () => {
    expect(roundText(2, 4)).toBe('2.0000');
    expect(roundText(2.5, 0)).toBe('2');
    expect(roundText(3.5, 0)).toBe('4');
  });
});
