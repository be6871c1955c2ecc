// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { AXES, axesOf } from '../session/axis';
import {
  parseView,
  viewAddress,
  withAll,
  withDismissed,
  withNextAxis,
  withNextSmoothing,
  withOverlay,
  withRun,
  type View,
} from './view';

const plain = parseView('');

describe('ui/view', () => {
  it('is the same after a way through the address', () => {
    const search =
      '?run=a+b&run=c%2Fd&x=time&smooth=0.9&log=1&bands=0&zoom=1.5%7E20&theme=dark&q=x&embed=1' +
      '&group=opt.name&compare=1&base=c%2Fd&config=all&hz=1&seen=plateau%407';
    const view = parseView(search);
    expect(view).toEqual({
      runs: ['a b', 'c/d'],
      axis: 'time',
      smoothing: 0.9,
      log: true,
      bands: false,
      dismissed: ['plateau@7'],
      zoom: [1.5, 20],
      theme: 'dark',
      search: 'x',
      embed: true,
      group: 'opt.name',
      compare: true,
      baseline: 'c/d',
      allKeys: true,
      rate: 1,
    });
    expect(viewAddress(view)).toBe(search);
    expect(parseView(viewAddress(view))).toEqual(view);
  });

  it('has a short address when everything is as usual', () => {
    expect(viewAddress({ ...plain, runs: ['a'] })).toBe('?run=a');
  });

  it.each([
    '?zoom=5~2',
    '?zoom=x',
    '?zoom=1',
    '?smooth=-1',
    '?smooth=x',
    '?x=moon',
    '?theme=pink',
    '?hz=7',
  ])('takes %s for nothing', (search) => {
    expect(parseView(search)).toEqual(plain);
  });

  it('draws ten runs at most, each once, and one at least', () => {
    const many = Array.from({ length: 12 }, (_, i) => `run=${i}`).join('&');
    const view = parseView(`?${many}&run=1`);
    expect(view.runs).toHaveLength(10);
    expect(withOverlay(view, 'x')).toBe(view);
    expect(withOverlay(view, '3').runs).not.toContain('3');
    expect(withOverlay(withRun(view, '3'), '3').runs).toEqual(['3']);
  });

  it('steps through axes and smoothings, and around', () => {
    const three = axesOf([]);
    const next = (view: View) => withNextAxis(view, three);
    expect(next(plain).axis).toBe('relative');
    expect(next(next(next(plain))).axis).toBe('step');
    expect(next({ ...plain, zoom: [1, 2] }).zoom).toBeNull();
    expect(withNextAxis({ ...plain, axis: 'time' }, AXES).axis).toBe('epoch');
    expect(next({ ...plain, axis: 'epoch' }).axis).toBe('step');
    expect(withNextSmoothing({ ...plain, smoothing: 0.7 }).smoothing).toBe(0.9);
    expect(withNextSmoothing({ ...plain, smoothing: 0.99 }).smoothing).toBe(0);
  });

  it('draws a group over what is drawn, and no more than can be told apart', () => {
    const many = Array.from({ length: 12 }, (_, i) => `r${i}`);
    const view = withAll({ ...plain, runs: ['r3'] }, many);
    expect(view.runs).toEqual(['r3', 'r0', 'r1', 'r2', 'r4', 'r5', 'r6', 'r7', 'r8', 'r9']);
  });

  it('puts alerts away, twenty at most, until another run is looked at', () => {
    let view = withRun(plain, 'a');
    for (let i = 0; i < 30; i++) view = withDismissed(view, `plateau@${i}`);
    expect(view.dismissed).toHaveLength(20);
    expect(withDismissed(view, 'plateau@29').dismissed).toEqual(view.dismissed);
    expect(withRun(view, 'a').dismissed).toEqual(view.dismissed);
    expect(withRun(view, 'b').dismissed).toEqual([]);
    const both = withOverlay(view, 'b');
    expect(both.dismissed).toEqual(view.dismissed);
    expect(withOverlay(both, 'a').dismissed).toEqual([]);
  });

  it('ends a comparison when one run alone is opened', () => {
    expect(withRun({ ...plain, runs: ['a', 'b'], compare: true }, 'b').compare).toBe(false);
  });
});
