// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { decodeSession, type SessionStatus } from '../proto/session';
import { DEADLINE_S, stoppingOf, type Order } from './order';

const run = (status: string) => decodeSession({ session_id: 'a', status }) as SessionStatus;
const told: Order = { kind: 'told', at: 100 };

describe('room/order', () => {
  it('is nothing until somebody asks', () => {
    expect(stoppingOf(run('running'), undefined, 100)).toEqual({ kind: 'none' });
  });

  it('waits for a trainer that was told, and says when it takes too long', () => {
    expect(stoppingOf(run('running'), told, 103)).toEqual({ kind: 'told', seconds: 3 });
    expect(stoppingOf(run('running'), told, 100 + DEADLINE_S)).toEqual({
      kind: 'silent',
      seconds: DEADLINE_S,
    });
  });

  it('is what the daemon tells of it, wherever it was asked for', () => {
    const stands = (state: string, order?: Order) => {
      const stop = { id: 1, command: 'stop', state, answer: 'busy', askedAt: 90 };
      const session = decodeSession({ session_id: 'a', status: 'running', control: [stop] });
      return stoppingOf(session as SessionStatus, order, 100);
    };
    expect(stands('told')).toEqual({ kind: 'told', seconds: 10 });
    expect(stands('accepted', told)).toEqual({ kind: 'agreed', seconds: 10 });
    expect(stands('unanswered', told)).toEqual({ kind: 'unanswered', seconds: 10 });
    expect(stands('refused')).toEqual({ kind: 'refused', why: 'busy' });
    expect(stands('done')).toEqual({ kind: 'none' });
    expect(stands('told', { kind: 'asking' })).toEqual({ kind: 'asking' });
  });

  it('passes on why nobody was told', () => {
    const refused: Order = { kind: 'refused', why: 'The run is over' };
    expect(stoppingOf(run('running'), refused, 1)).toEqual(refused);
  });

  it('is over when the run is, and not before', () => {
    expect(stoppingOf(run('completed'), told, 500).kind).toBe('over');
    expect(stoppingOf(run('failed'), undefined, 1).kind).toBe('over');
  });
});
