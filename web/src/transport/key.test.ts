// SPDX-License-Identifier: MIT
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Key, keepOfTab } from './key';

const url = new URL('http://host:1/api/training/stats');

function storage() {
  const items = new Map<string, string>();
  return {
    getItem: (name: string) => items.get(name) ?? null,
    setItem: (name: string, value: string) => void items.set(name, value),
  };
}

function answers(...statuses: number[]) {
  const fake = vi.fn<(url: URL, init?: RequestInit) => Promise<Response>>(() =>
    Promise.resolve(new Response('{}', { status: statuses.shift() ?? 200 })),
  );
  vi.stubGlobal('fetch', fake);
  return (call: number) => new Headers(fake.mock.calls[call]?.[1]?.headers).get('authorization');
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('transport/key', () => {
  it('does without the store of the tab where the browser gives none', () => {
    Object.defineProperty(globalThis, 'sessionStorage', {
      configurable: true,
      get: () => {
        throw new DOMException('denied', 'SecurityError');
      },
    });
    expect(keepOfTab()).toBeNull();
    Reflect.deleteProperty(globalThis, 'sessionStorage');
  });

  it('shows nothing until it has a token, then always that one', async () => {
    const shown = answers();
    const key = new Key(null);
    await key.fetch(url);
    expect(shown(0)).toBeNull();
    key.turn('st_a');
    await key.fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json' } });
    expect(shown(1)).toBe('Bearer st_a');
  });

  it('says once that a token is wanted, and no longer when there is one', async () => {
    answers(401, 401, 403);
    const key = new Key(null);
    const changed = vi.fn();
    key.onChange(changed);
    await key.fetch(url);
    await key.fetch(url);
    expect([key.wanted, changed.mock.calls.length]).toEqual([true, 1]);
    expect(key.locked).toEqual({ refused: false });
    key.turn('st_a');
    expect([key.locked, changed.mock.calls.length]).toEqual([null, 2]);
    await key.fetch(url);
    expect(key.wanted).toBe(false);
  });

  it('takes no refusal of the token before for one of this', async () => {
    let answer: (response: Response) => void = () => undefined;
    vi.stubGlobal('fetch', () => new Promise<Response>((resolve) => (answer = resolve)));
    const key = new Key(null);
    const asked = key.fetch(url);
    key.turn('st_a');
    answer(new Response('{}', { status: 401 }));
    await asked;
    expect(key.wanted).toBe(false);
  });

  it('is found again in the same tab', () => {
    const keep = storage();
    new Key(keep).turn('st_a');
    expect(new Key(keep).token).toBe('st_a');
    expect(new Key(keep, 'st_b').token).toBe('st_b');
    expect(new Key(null).token).toBeNull();
  });
});
