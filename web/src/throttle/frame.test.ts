// SPDX-License-Identifier: MIT
import { describe, expect, it, vi } from 'vitest';
import { frameBudget, Frames, Pace, restful } from './frame';

function screen() {
  const waiting: (() => void)[] = [];
  const frame = () => {
    for (const callback of waiting.splice(0)) callback();
  };
  return { frame, schedule: (callback: () => void) => void waiting.push(callback) };
}

describe('throttle/frame', () => {
  it('renders once a frame, however often it is asked', () => {
    const { frame, schedule } = screen();
    const render = vi.fn();
    const request = frameBudget(schedule, render);
    for (let i = 0; i < 100; i++) request();
    expect(render).not.toHaveBeenCalled();
    frame();
    expect(render).toHaveBeenCalledTimes(1);
    frame();
    expect(render).toHaveBeenCalledTimes(1);
  });

  it('renders a change that comes while it renders, in the next frame', () => {
    const { frame, schedule } = screen();
    let again = true;
    const render = vi.fn(() => {
      if (again) request();
      again = false;
    });
    const request = frameBudget(schedule, render);
    request();
    frame();
    expect(render).toHaveBeenCalledTimes(1);
    frame();
    expect(render).toHaveBeenCalledTimes(2);
  });

  it('rests after a frame for longer than it took, and not too long', () => {
    const { frame, schedule } = screen();
    let now = 0;
    let cost = 5;
    const rendered: number[] = [];
    const request = frameBudget(
      restful(schedule, () => now),
      () => {
        rendered.push(now);
        now += cost;
      },
    );
    const pass = (ms: number) => {
      for (const end = now + ms; now < end; now += 1) {
        request();
        frame();
      }
    };
    pass(100);
    expect(rendered.slice(0, 3)).toEqual([0, 45, 90]);
    cost = 50;
    pass(300);
    expect(rendered.slice(-2).reduce((a, b) => b - a)).toBe(140);
  });

  it('lets everybody draw in one frame until they leave', () => {
    const frames = new Frames();
    const seen: string[] = [];
    const leave = frames.add((now) => {
      seen.push(`a${now}`);
      leave();
    });
    frames.add((now) => void seen.push(`b${now}`));
    frames.paint(1);
    frames.paint(2);
    expect(seen).toEqual(['a1', 'b1', 'b2']);
  });

  it('lets live changes through at the rate that is asked for', () => {
    const shown = (perSecond: number) => {
      const pace = new Pace();
      return Array.from({ length: 100 }, (_, i) => pace.allows(i * 100, perSecond)).filter(Boolean);
    };
    expect([10, 4, 1, 0.1].map((rate) => shown(rate).length)).toEqual([100, 34, 10, 1]);
  });
});
