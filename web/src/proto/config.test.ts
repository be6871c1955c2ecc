// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { decodeConfig } from './config';

describe('proto/config', () => {
  it('is flat, in the order in which it was sent', () => {
    const config = { lr: 1e-5, opt: { name: 'adamw', betas: [0.9, 0.95], extra: {} }, amp: true };
    expect([...decodeConfig(config)]).toEqual([
      ['lr', '0.00001'],
      ['opt.name', 'adamw'],
      ['opt.betas', '[0.9,0.95]'],
      ['opt.extra', '{}'],
      ['amp', 'true'],
    ]);
    expect(decodeConfig({ note: null }).get('note')).toBe('null');
  });

  it('is empty for anything else, and ends somewhere', () => {
    for (const value of [undefined, null, 'text', [1]]) expect(decodeConfig(value).size).toBe(0);
    const wide = Object.fromEntries(Array.from({ length: 900 }, (_, i) => [`k${i}`, i]));
    expect(decodeConfig(wide).size).toBe(500);
    let deep: object = {};
    for (let i = 0; i < 50; i++) deep = { a: deep };
    expect(decodeConfig(deep).size).toBe(1);
  });
});
