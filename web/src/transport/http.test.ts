// SPDX-License-Identifier: MIT
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openHttp } from './http';

const http = openHttp(new URL('http://host:1/below/'), (url, init) => fetch(url, init));

function answer(body: unknown, status = 200) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const fake = vi.fn<(url: URL, init?: RequestInit) => Promise<Response>>(() =>
    Promise.resolve(new Response(text, { status })),
  );
  vi.stubGlobal('fetch', fake);
  return fake;
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('transport/http', () => {
  it('asks below the folder that the page is served from', async () => {
    const fake = answer({ success: true, data: { sessions: [], total: 0 } });
    expect(await http.sessions('')).toEqual({ kind: 'ok', value: { sessions: [], total: 0 } });
    expect(fake.mock.calls[0]?.[0].pathname).toBe('/below/api/training/sessions');
  });

  it('asks for history from where the line is complete', async () => {
    const history = [{ offset: 8, loss: 1 }];
    const fields = ['loss', 'val/acc'];
    const fake = answer({ success: true, data: history, sessionId: 'a/b', total: 9 });
    expect(await http.history('a/b', { after: 7, points: 64, fields })).toMatchObject({
      kind: 'ok',
      value: [{ offset: 8 }],
    });
    expect(fake.mock.calls[0]?.[0].pathname).toBe('/below/api/training/history/a%2Fb');
    expect(fake.mock.calls[0]?.[0].searchParams.get('since')).toBe('7');
    expect(fake.mock.calls[0]?.[0].searchParams.get('points')).toBe('64');
    expect(fake.mock.calls[0]?.[0].searchParams.get('fields')).toBe('loss,val/acc');
    expect(fake.mock.calls[0]?.[0].searchParams.has('from')).toBe(false);
    await http.history('a', { after: -1, points: 1500, fields, steps: [10, 20] });
    expect(fake.mock.calls[1]?.[0].searchParams.has('since')).toBe(false);
    expect(fake.mock.calls[1]?.[0].searchParams.get('to')).toBe('20');
  });

  it('searches and pins', async () => {
    const fake = answer({ success: true, data: { session_id: 'a', pinned: true, sessions: [] } });
    await http.sessions('a b&c');
    expect(fake.mock.calls[0]?.[0].searchParams.get('q')).toBe('a b&c');
    expect(await http.pin('a', true)).toMatchObject({ kind: 'ok', value: { pinned: true } });
    expect(fake.mock.calls[1]?.[1]).toMatchObject({ method: 'PATCH', body: '{"pinned":true}' });
  });

  it('tells a run that is not there from a daemon that is not there', async () => {
    answer({ success: false, error: 'Session not found' }, 404);
    expect(await http.status('a')).toEqual({ kind: 'missing' });
    answer('<html>bad gateway</html>', 502);
    expect(await http.status('a')).toEqual({ kind: 'failed' });
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('refused')));
    expect(await http.status('a')).toEqual({ kind: 'failed' });
  });

  it('takes nothing but the promised JSON', async () => {
    answer('<html>a proxy’s welcome</html>');
    expect(await http.sessions('')).toEqual({ kind: 'failed' });
    answer({ success: true, data: { name: 'no id' } });
    expect(await http.status('a')).toEqual({ kind: 'failed' });
  });

  it('hands over a command, and says why when nobody was told', async () => {
    const fake = answer({ success: true, sessionId: 'a/b', command: 'stop' });
    expect(await http.control('a/b', 'stop', 'enough')).toBeNull();
    const [url, init] = fake.mock.calls[0] ?? [];
    expect(url?.pathname).toBe('/below/api/training/control/a%2Fb');
    const body = '{"command":"stop","reason":"enough","client":"dashboard"}';
    expect([init?.method, init?.body]).toEqual(['POST', body]);
    answer({ success: false, error: 'The run is over' }, 409);
    expect(await http.control('a', 'stop', '')).toBe('The run is over');
    answer('<h1>Bad gateway</h1>', 502);
    expect(await http.control('a', 'stop', '')).toBe('The daemon did not answer');
  });
});
