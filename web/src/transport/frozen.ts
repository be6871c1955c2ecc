// SPDX-License-Identifier: MIT
//
// A page that was saved: the daemon's own answers, kept as they came and given again, so that the
// same decoders and the same page read them. Gathering them is here too, since both must agree on
// which they are.
import { drawnMetrics } from '../proto/history';
import { decodeSession, unwrap } from '../proto/session';
import { historyPath, insightPath, openHttp, type Fetcher } from './http';
import type { Wires } from './wires';

export interface Frozen {
  /** Epoch seconds. */
  readonly at: number;
  /** The view, as its address has it. */
  readonly search: string;
  /** What the daemon answered, by path below api/training/ and without the query. */
  readonly answers: Readonly<Record<string, unknown>>;
}

/** Of each metric: more than a screen has pixels. */
const POINTS = 2000;

async function ask(base: URL, fetcher: Fetcher, path: string): Promise<unknown> {
  const response = await fetcher(new URL(`api/training/${path}`, base));
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

async function gatherRun(
  base: URL,
  fetcher: Fetcher,
  id: string,
): Promise<readonly [string, unknown][]> {
  const path = `sessions/${encodeURIComponent(id)}`;
  const run = await ask(base, fetcher, path);
  const fields = drawnMetrics(decodeSession(unwrap(run)));
  const history = historyPath(id, { after: -1, points: POINTS, fields });
  const insight = insightPath(id);
  return [
    [path, run],
    [history.split('?')[0] as string, await ask(base, fetcher, history)],
    // A run is worth saving also when nothing can be made of it at present.
    [insight, await ask(base, fetcher, insight).catch(() => undefined)],
  ];
}

/** All that a page needs that shows these runs. Throws when the daemon does not answer. */
export async function gather(
  base: URL,
  fetcher: Fetcher,
  ids: readonly string[],
): Promise<Frozen['answers']> {
  const runs = await Promise.all(ids.map((id) => gatherRun(base, fetcher, id)));
  const sessions = runs.map(([run]) => unwrap(run?.[1]));
  const list = { success: true, data: { sessions, total: sessions.length } };
  return Object.fromEntries([['sessions', list], ...runs.flat()]);
}

/** The text of one of the page's own files. */
export async function textOf(url: string): Promise<string> {
  return (await fetch(url)).text();
}

/** A daemon that says the same for ever; nothing is asked of anybody. */
export function frozenWires({ at, answers }: Frozen): Wires {
  const base = new URL('http://frozen/');
  const answer = (url: URL): Promise<Response> => {
    const body = answers[url.pathname.replace('/api/training/', '')];
    const status = body === undefined ? 404 : 200;
    return Promise.resolve(new Response(JSON.stringify(body ?? null), { status }));
  };
  return {
    http: openHttp(base, answer),
    openSocket: () => ({
      join: () => undefined,
      leave: () => undefined,
      close: () => undefined,
    }),
    now: () => at * 1000,
    every: () => () => undefined,
  };
}
