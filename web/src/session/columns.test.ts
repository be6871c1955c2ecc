// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { Columns } from './columns';

const point = (offset: number, ...values: [string, number][]) => ({
  offset,
  at: offset,
  step: offset,
  values,
});

describe('session/columns', () => {
  it('grows every column and keeps holes in those that began late', () => {
    const columns = new Columns();
    for (let i = 0; i < 1000; i++) columns.push(point(i, ['a', i]));
    columns.push(point(1000, ['b', 7]));
    expect(columns.metric('a')[999]).toBe(999);
    expect(columns.metric('a')[1000]).toBeNaN();
    expect(columns.metric('b')[0]).toBeNaN();
    expect(columns.metric('b')[1000]).toBe(7);
  });

  it('joins again what was cut off', () => {
    const columns = new Columns();
    for (let i = 0; i < 5; i++) columns.push(point(i, ['a', i]));
    const tail = columns.tail(3);
    columns.truncate(1);
    columns.join(tail);
    expect(Array.from(columns.metric('a').subarray(0, columns.length))).toEqual([0, 3, 4]);
  });

  it('does not keep metrics without end', () => {
    const columns = new Columns();
    for (let i = 0; i < 100; i++) columns.push(point(i, [`m${i}`, i]));
    expect(columns.names).toHaveLength(32);
  });
});
