// SPDX-License-Identifier: MIT
//
// The daemon's HTTP routes, as far as this page asks them, and the page's only `fetch`. An answer is
// one of three things a caller can act on; anything that is not the promised JSON counts as failed,
// so that a proxy's error page is never taken for an empty daemon.
import { decodeHistory, POINT_FIELDS, type Point } from '../proto/history';
import { decodeSession, decodeSessionList, unwrap } from '../proto/session';
import type { SessionList, SessionStatus } from '../proto/session';

export type Answer<T> = { kind: 'ok'; value: T } | { kind: 'missing' } | { kind: 'failed' };

export interface Http {
  sessions(): Promise<Answer<SessionList>>;
  status(id: string): Promise<Answer<SessionStatus>>;
  /** The records after offset `after` (-1: all), thinned by the daemon to about `points`. */
  history(id: string, after: number, points: number): Promise<Answer<readonly Point[]>>;
}

const TIMEOUT_MS = 4000;
const LIST_LIMIT = 200;

/** `base` is the address of the page's folder, with its slash. */
export function openHttp(base: URL): Http {
  async function get<T>(path: string, decode: (body: unknown) => T | null): Promise<Answer<T>> {
    try {
      const url = new URL(`api/training/${path}`, base);
      const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
      if (response.status === 404) return { kind: 'missing' };
      const value = response.ok ? decode(await response.json()) : null;
      return value === null ? { kind: 'failed' } : { kind: 'ok', value };
    } catch {
      return { kind: 'failed' };
    }
  }
  return {
    sessions: () => get(`sessions?limit=${LIST_LIMIT}`, decodeSessionList),
    status: (id) =>
      get(`status/${encodeURIComponent(id)}`, (body) => decodeSession(unwrap(body) ?? undefined)),
    history(id, after, points) {
      const since = after < 0 ? '' : `&since=${after}`;
      const query = `points=${points}&fields=${POINT_FIELDS}${since}`;
      return get(`history/${encodeURIComponent(id)}?${query}`, decodeHistory);
    },
  };
}
