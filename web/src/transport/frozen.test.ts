// SPDX-License-Identifier: MIT
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Client } from './client';
import { frozenWires, gather } from './frozen';

const base = new URL('http://host:1/below/');
const run = {
  session_id: 'a/b',
  status: 'completed',
  start_time: 1,
  summary: { acc: { count: 1, goal: 'max' } },
};
const history = { success: true, data: [{ offset: 1, loss: 2, acc: 0.5 }], sessionId: 'a/b' };

function daemon(url: URL): Promise<Response> {
  const body = url.pathname.includes('/history/') ? history : { success: true, data: run };
  return Promise.resolve(new Response(JSON.stringify(body)));
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('transport/frozen', () => {
  it('asks for each run and for what is drawn of it, and then for nothing', async () => {
    const live = vi.fn(daemon);
    const answers = await gather(base, live, ['a/b']);
    const asked = live.mock.calls.map(([url]) => url.href.replace(base.href, ''));
    expect(asked[0]).toBe('api/training/sessions/a%2Fb');
    expect(asked[1]).toContain('history/a%2Fb?points=2000&fields=loss%2C');

    vi.stubGlobal('fetch', () => {
      throw new Error('a saved page asks nobody');
    });
    const text = JSON.stringify({ at: 5, search: '', answers });
    const client = new Client(frozenWires(JSON.parse(text) as never), () => undefined);
    const open = client.session('a/b');
    await vi.waitFor(() => {
      expect(open.series.length).toBe(1);
    });
    expect(open.state.session?.status).toBe('completed');
    expect(client.runs.runs.map(({ sessionId }) => sessionId)).toEqual(['a/b']);
    expect(open.series.names).toContain('acc');
  });

  it('does not save half a page', async () => {
    const broken = () => Promise.resolve(new Response('', { status: 502 }));
    await expect(gather(base, broken, ['a'])).rejects.toThrow('502');
  });
});
