// SPDX-License-Identifier: MIT
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { decodeSession, type SessionStatus } from '../proto/session';
import { nothing } from './no_controls';
import { RunRow } from './run_row';

function row(fields: object): string {
  const run = decodeSession({ session_id: 'a', status: 'running', ...fields }) as SessionStatus;
  const is = { current: false, drawn: false, full: false, colour: '#000', href: '?' };
  return renderToStaticMarkup(<RunRow run={run} {...is} controls={nothing} />);
}

describe('ui/run_row', () => {
  it('has the phase of a run in words, where there is one', () => {
    expect(row({ phase: 'DIVERGING' })).toMatch(/class="phase bad">.*Diverging/);
    expect(row({ phase: 'DIVERGING' })).toMatch(/class="unseen">Running/);
    expect(row({ phase: 'CONVERGED', status: 'completed' })).toMatch(/<span>Completed.*Converged/);
    expect(row({ phase: null })).not.toContain('class="phase');
  });
});
