// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { asArray, asNumber, asObject, asString, asTime } from './json';

describe('proto/json', () => {
  it('narrows what fits', () => {
    expect(asObject({ a: 1 })).toEqual({ a: 1 });
    expect(asArray([1])).toEqual([1]);
    expect(asString('')).toBe('');
    expect(asNumber(0)).toBe(0);
  });

  it('gives null, or nothing, for what does not', () => {
    for (const other of [null, undefined, 1, 'x', [], true]) expect(asObject(other)).toBeNull();
    for (const other of [null, undefined, {}, 'x']) expect(asArray(other)).toEqual([]);
    for (const other of [null, 1, {}]) expect(asString(other)).toBeNull();
    for (const other of [NaN, Infinity, '1', null, true]) expect(asNumber(other)).toBeNull();
  });

  it('reads a time as seconds or as ISO text', () => {
    expect(asTime(1700000000.5)).toBe(1700000000.5);
    expect(asTime('2023-11-14T22:13:20Z')).toBe(1700000000);
    expect(asTime('yesterday')).toBeNull();
    expect(asTime(null)).toBeNull();
  });
});
