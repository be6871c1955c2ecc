// SPDX-License-Identifier: MIT
//
// A run in a React component.
import { useCallback, useSyncExternalStore } from 'react';
import type { Daemon, SessionState } from './index';

/** Rendered again whenever anything about the run changes; left with the last who looks at it. */
export function useSession(daemon: Daemon, id: string): SessionState {
  const subscribe = useCallback(
    (onChange: () => void) => {
      const stop = daemon.session(id).on('change', onChange);
      const users = lookers.get(daemon) ?? new Map<string, number>();
      lookers.set(daemon, users.set(id, (users.get(id) ?? 0) + 1));
      return () => {
        stop();
        const left = (users.get(id) ?? 1) - 1;
        users.set(id, left);
        if (left === 0) daemon.leave(id);
      };
    },
    [daemon, id],
  );
  const state = () => daemon.session(id).state;
  return useSyncExternalStore(subscribe, state, state);
}

/** How many components look at a run. */
const lookers = new WeakMap<Daemon, Map<string, number>>();
