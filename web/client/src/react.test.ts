// SPDX-License-Identifier: MIT
import { expect, it, vi } from 'vitest';
import { FakeDaemon } from '../../src/transport/fake_daemon';
import { connect } from './index';
import { useSession } from './react';

/** What the hook hands to React, which here does nothing with it. */
let subscribe: (onChange: () => void) => () => void;
vi.mock('react', () => ({
  useCallback: (callback: unknown) => callback,
  useSyncExternalStore: (given: typeof subscribe, state: () => unknown) => {
    subscribe = given;
    return state();
  },
}));

it('client/react looks at a run, and leaves it with the last who looks', async () => {
  const fake = new FakeDaemon();
  fake.runs = [{ session_id: 'a', status: 'running', start_time: 1 }];
  const daemon = connect('http://localhost:5001', fake.wires);
  expect(useSession(daemon, 'a').known).toBe('asking');
  const rendered = vi.fn();
  const leave = [subscribe(rendered), subscribe(() => undefined)] as const;
  await fake.settle();
  expect(rendered).toHaveBeenCalled();
  expect(useSession(daemon, 'a').session?.status).toBe('running');
  leave[0]();
  expect(fake.rooms.has('a')).toBe(true);
  leave[1]();
  expect(fake.rooms.has('a')).toBe(false);
});
