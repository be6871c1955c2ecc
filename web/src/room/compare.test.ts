// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { decodeSession, type SessionStatus } from '../proto/session';
import { configRows, groupKeys, groupRuns, metricRows } from './compare';

function run(id: string, config: object, summary: object = {}): SessionStatus {
  return decodeSession({ session_id: id, status: 'running', config, summary }) as SessionStatus;
}

const runs = [
  run('a', { lr: 0.1, opt: { name: 'sgd' }, seed: 1 }, { loss: { last: 2, best: 1, goal: 'min' } }),
  run(
    'b',
    { lr: 0.02, opt: { name: 'sgd' }, seed: 1 },
    { loss: { last: 1, best: 1, goal: 'min' } },
  ),
  run('c', { lr: 10, opt: { name: 'sgd' } }, { acc: { last: 0.5, best: 0.5, goal: 'max' } }),
];

describe('room/compare', () => {
  it('offers the keys by which runs differ', () => {
    expect(groupKeys(runs)).toEqual(['lr', 'seed']);
    expect(groupKeys(runs.slice(0, 1))).toEqual([]);
  });

  it('groups by a key: numbers by size, those without it last', () => {
    const byRate = groupRuns(runs, 'lr').map(({ value }) => value);
    expect(byRate).toEqual(['0.02', '0.1', '10']);
    const bySeed = groupRuns(runs, 'seed');
    expect(bySeed.map(({ value }) => value)).toEqual(['1', null]);
    expect(bySeed[0]?.runs.map(({ sessionId }) => sessionId)).toEqual(['a', 'b']);
  });

  it('shows where configurations differ, or all of them', () => {
    expect(configRows(runs, false)).toEqual([
      { key: 'lr', values: ['0.1', '0.02', '10'], differs: true },
      { key: 'seed', values: ['1', '1', undefined], differs: true },
    ]);
    expect(configRows(runs, true).map(({ key }) => key)).toEqual(['lr', 'opt.name', 'seed']);
  });

  it('says by how much the others are better or worse than the baseline', () => {
    const [loss, acc] = metricRows(runs, 0);
    expect(loss?.last).toEqual([
      { value: 2, delta: undefined, share: undefined, better: undefined },
      { value: 1, delta: -1, share: -0.5, better: true },
      { value: undefined, delta: undefined, share: undefined, better: undefined },
    ]);
    expect(loss?.best[1]).toEqual({ value: 1, delta: 0, share: 0, better: undefined });
    expect(acc?.goal).toBe('max');
    expect(metricRows(runs, 1)[0]?.last[0]).toMatchObject({ delta: 1, share: 1, better: false });
  });

  it('has no share of nothing, and knows that more can be better', () => {
    const two = [0, 0.5].map((last) => run('x', {}, { acc: { last, best: last, goal: 'max' } }));
    expect(metricRows(two, 0)[0]?.last[1]).toEqual({
      value: 0.5,
      delta: 0.5,
      share: undefined,
      better: true,
    });
  });
});
