// SPDX-License-Identifier: MIT
//
// The daemon's HTTP routes, as far as this page asks them. An answer is
// one of three things a caller can act on; anything that is not the promised JSON counts as failed,
// so that a proxy's error page is never taken for an empty daemon.
import { decodeHistory, type HistoryRequest, type Point } from '../proto/history';
import { decodeInsight, type InsightAnswer } from '../proto/insight';
import { asObject, asString } from '../proto/json';
import { decodeSession, decodeSessionList, unwrap } from '../proto/session';
import type { SessionList, SessionStatus } from '../proto/session';
import { decodeStats, type DaemonStats } from '../proto/stats';

export type Answer<T> = { kind: 'ok'; value: T } | { kind: 'missing' } | { kind: 'failed' };

export interface Http {
  /** The runs, newest first, in which `query` is found; all of them when it is empty. */
  sessions(query: string): Promise<Answer<SessionList>>;
  status(id: string): Promise<Answer<SessionStatus>>;
  /** The records, thinned by the daemon to about so many points a metric. */
  history(id: string, request: HistoryRequest): Promise<Answer<readonly Point[]>>;
  /** What the daemon makes of a run, from its first record on. */
  insight(id: string): Promise<Answer<InsightAnswer>>;
  /** Keeps a run for ever, or no longer. */
  pin(id: string, pinned: boolean): Promise<Answer<SessionStatus>>;
  /** What the daemon counts of all runs together. */
  stats(): Promise<Answer<DaemonStats>>;
  /** Hands a command to the trainer of a run: null when one was told, else why none was. */
  control(id: string, command: Command, reason: string): Promise<string | null>;
}

export type Command = 'stop' | 'pause' | 'resume' | 'checkpoint';

const TIMEOUT_MS = 4000;
const LIST_LIMIT = 200;
const NO_ANSWER = 'The daemon did not answer';

/** Below api/training/, with its query. */
export function historyPath(id: string, { after, points, fields, steps }: HistoryRequest): string {
  const query = new URLSearchParams({
    points: String(points),
    fields: fields.join(','),
    axis: '1',
  });
  if (after >= 0) query.set('since', String(after));
  if (steps) {
    query.set('from', String(steps[0]));
    query.set('to', String(steps[1]));
  }
  return `history/${encodeURIComponent(id)}?${query.toString()}`;
}

export function insightPath(id: string): string {
  return `insight/${encodeURIComponent(id)}`;
}

function bodyOf(method: 'PATCH' | 'POST', fields: object): RequestInit {
  const headers = { 'Content-Type': 'application/json' };
  return { method, headers, body: JSON.stringify(fields) };
}

/** A key's fetch, or that of a page which was saved. */
export type Fetcher = (url: URL, init?: RequestInit) => Promise<Response>;

/** `base` is the address of the page's folder, with its slash. */
export function openHttp(base: URL, fetcher: Fetcher): Http {
  function send(path: string, init: RequestInit): Promise<Response> {
    const url = new URL(`api/training/${path}`, base);
    return fetcher(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
  }
  async function ask<T>(
    path: string,
    decode: (body: unknown) => T | null,
    init: RequestInit = {},
  ): Promise<Answer<T>> {
    try {
      const response = await send(path, init);
      if (response.status === 404) return { kind: 'missing' };
      const value = response.ok ? decode(await response.json()) : null;
      return value === null ? { kind: 'failed' } : { kind: 'ok', value };
    } catch {
      return { kind: 'failed' };
    }
  }
  async function control(id: string, command: Command, reason: string): Promise<string | null> {
    try {
      const init = bodyOf('POST', { command, reason, client: 'dashboard' });
      const response = await send(`control/${encodeURIComponent(id)}`, init);
      if (response.ok) return null;
      return asString(asObject(await response.json())?.error) ?? NO_ANSWER;
    } catch {
      return NO_ANSWER;
    }
  }
  const run = (id: string) => `sessions/${encodeURIComponent(id)}`;
  const decodeRun = (body: unknown) => decodeSession(unwrap(body) ?? undefined);
  return {
    sessions(query) {
      const search = query === '' ? '' : `&q=${encodeURIComponent(query)}`;
      return ask(`sessions?limit=${LIST_LIMIT}${search}`, decodeSessionList);
    },
    status: (id) => ask(run(id), decodeRun),
    history: (id, request) => ask(historyPath(id, request), decodeHistory),
    insight: (id) => ask(insightPath(id), decodeInsight),
    pin: (id, pinned) => ask(run(id), decodeRun, bodyOf('PATCH', { pinned })),
    stats: () => ask('stats', decodeStats),
    control,
  };
}
