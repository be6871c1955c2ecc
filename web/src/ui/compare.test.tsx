// SPDX-License-Identifier: MIT
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { decodeSession, type SessionStatus } from '../proto/session';
import { Compare } from './compare';
import { nothing } from './no_controls';
import { parseView } from './view';

function run(id: string, lr: number, loss: number): SessionStatus {
  const summary = { loss: { last: loss, best: loss, goal: 'min' } };
  const wire = { session_id: id, status: 'completed', config: { lr, seed: 1 }, summary };
  return decodeSession(wire) as SessionStatus;
}

function compare(search: string): string {
  const runs = [run('a', 0.1, 2), run('b', 0.2, 1)];
  const view = parseView(`?run=a&run=b&compare=1${search}`);
  const html = <Compare runs={runs} view={view} theme="light" controls={nothing} />;
  return renderToStaticMarkup(html);
}

describe('ui/compare', () => {
  it('says in words what is better, against the first run', () => {
    expect(compare('')).toContain('−1 (−50.0 %)');
    expect(compare('')).toContain('better<');
    expect(compare('')).not.toContain('worse<');
  });

  it('compares with whichever run is chosen', () => {
    expect(compare('&base=b')).toContain('(+100.0 %)');
    expect(compare('&base=b')).toContain('worse<');
    expect(compare('&base=gone')).toContain('better<');
  });

  it('shows where they differ, and everything when asked', () => {
    expect(compare('')).toContain('>lr<');
    expect(compare('')).not.toContain('>seed<');
    expect(compare('&config=all')).toContain('>seed<');
  });
});
