// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import {
  createLink,
  linkOf,
  onAnswer,
  onSocketDown,
  onSocketUp,
  PATIENCE_MS,
  wantsFallback,
} from './link';

describe('room/link', () => {
  it('connects, then says by which transport', () => {
    const start = createLink(0);
    expect(linkOf(start)).toBe('connecting');
    const polling = onSocketUp(start, 'polling', 10);
    expect(linkOf(polling)).toBe('polling');
    expect(linkOf(onSocketUp(polling, 'websocket', 20))).toBe('websocket');
  });

  it('asks over HTTP only after a moment without a socket', () => {
    const down = onSocketDown(onSocketUp(createLink(0), 'websocket', 0), 1000);
    expect(wantsFallback(down, 1000 + PATIENCE_MS - 1)).toBe(false);
    expect(wantsFallback(down, 1000 + PATIENCE_MS)).toBe(true);
    expect(linkOf(down)).toBe('connecting');
  });

  it('tells the fallback from offline by what HTTP answers', () => {
    const start = createLink(0);
    const http = onAnswer(start, true, PATIENCE_MS);
    expect(linkOf(http)).toBe('http');
    expect(linkOf(onAnswer(start, false, PATIENCE_MS))).toBe('offline');
    expect(linkOf(onAnswer(http, false, 9999))).toBe('offline');
  });

  it('does not speak of the fallback while a socket may still come', () => {
    expect(linkOf(onAnswer(createLink(0), true, PATIENCE_MS - 1))).toBe('connecting');
  });

  it('prefers the socket to any answer', () => {
    const up = onSocketUp(createLink(0), 'websocket', 0);
    expect(linkOf(onAnswer(up, false, 1e9))).toBe('websocket');
    expect(wantsFallback(up, 1e9)).toBe(false);
  });

  it('goes back to live from anywhere', () => {
    const offline = onAnswer(createLink(0), false, PATIENCE_MS);
    expect(linkOf(onSocketUp(offline, 'polling', 5000))).toBe('polling');
  });

  it('does not count its patience anew when a socket fails again', () => {
    const down = onSocketDown(onSocketUp(createLink(0), 'polling', 0), 100);
    expect(onSocketDown(down, 5000)).toBe(down);
  });
});
