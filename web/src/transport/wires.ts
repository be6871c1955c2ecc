// SPDX-License-Identifier: MIT
//
// The outside, as a client needs it: a daemon's HTTP, its socket, a clock, and the page's one timer.
import { openHttp, type Http } from './http';
import type { Key } from './key';
import { openSocket, type Socket, type SocketHandlers } from './socket';

/** The outside as the client sees it; tests bring their own. */
export interface Wires {
  readonly http: Http;
  openSocket(handlers: SocketHandlers): Socket;
  /** Epoch milliseconds. */
  now(): number;
  /** Calls back for ever; returns how to stop it. */
  every(ms: number, callback: () => void): () => void;
}

/** Of the daemon that serves `base`, the address of the page's folder, with its slash. */
export function openWires(base: URL, key: Key): Wires {
  return {
    http: openHttp(base, key.fetch),
    openSocket: (handlers) => openSocket(base, handlers, key),
    now: () => Date.now(),
    every(ms, callback) {
      const timer = setInterval(callback, ms);
      return () => {
        clearInterval(timer);
      };
    },
  };
}
