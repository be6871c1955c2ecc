// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { slideOf, weightOf } from './toolbar';

describe('ui/toolbar', () => {
  it('slides from nothing to nearly everything, and back to the same place', () => {
    expect([weightOf(0), weightOf(10), weightOf(20), weightOf(30)]).toEqual([0, 0.9, 0.99, 0.999]);
    for (let slide = 0; slide <= 30; slide++) expect(slideOf(weightOf(slide))).toBe(slide);
  });
});
