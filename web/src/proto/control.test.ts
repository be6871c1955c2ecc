// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { decodeOrder, decodeStop } from './control';

const wire = {
  id: 7,
  sessionId: 'a',
  command: 'set',
  knob: 'lr',
  value: 0.25,
  reason: null,
  state: 'refused',
  answer: 'not now',
  askedAt: 1700000000.5,
};

describe('proto/control', () => {
  it('reads an order', () => {
    expect(decodeOrder(wire)).toEqual({
      id: 7,
      command: 'set',
      state: 'refused',
      reason: '',
      answer: 'not now',
      askedAt: 1700000000.5,
      knob: 'lr = 0.25',
    });
    expect(decodeOrder({ id: 1, command: 'stop', state: 'told' })?.knob).toBe('');
    expect(decodeOrder({ command: 'stop', state: 'told' })).toBeNull();
    expect(decodeOrder('x')).toBeNull();
  });

  it('finds the newest stop among those that wait', () => {
    const stop = (id: number) => ({ id, command: 'stop', state: 'told' });
    expect(decodeStop([stop(1), wire, stop(9), { ...wire, id: 10 }])?.id).toBe(9);
    expect(decodeStop([wire, 7])).toBeNull();
    expect(decodeStop(undefined)).toBeNull();
  });
});
