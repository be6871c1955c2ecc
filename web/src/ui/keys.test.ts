// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { actionOf, KEYS } from './keys';

const plain = { ctrlKey: false, metaKey: false, altKey: false, focus: 'BODY' };

describe('ui/keys', () => {
  it('has one meaning a key', () => {
    expect(new Set(KEYS.map(({ key }) => key)).size).toBe(KEYS.length);
    for (const { key, action } of KEYS) expect(actionOf({ ...plain, key })).toBe(action);
  });

  it('leaves the browser its shortcuts and the fields their letters', () => {
    expect(actionOf({ ...plain, key: 'l', ctrlKey: true })).toBeNull();
    expect(actionOf({ ...plain, key: 'l', focus: 'INPUT' })).toBeNull();
    expect(actionOf({ ...plain, key: 'q' })).toBeNull();
  });

  it('leaves space to what can be pressed', () => {
    expect(actionOf({ ...plain, key: ' ', focus: 'BUTTON' })).toBeNull();
    expect(actionOf({ ...plain, key: ' ' })).toBe('pause');
  });
});
