// SPDX-License-Identifier: MIT
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { ServerEvent } from '../proto/events';
import { Key } from './key';
import { openSocket } from './socket';

type Listener = (...args: unknown[]) => void;

/** Stands in for socket.io-client's socket: what was emitted, and a way to be the server. */
class FakeIo {
  connected = false;
  active = true;
  readonly sent: unknown[] = [];
  readonly #listeners = new Map<string, Listener>();
  readonly #engine = new Map<string, Listener>();
  readonly io = {
    engine: {
      transport: { name: 'polling' },
      on: (name: string, listener: Listener) => this.#engine.set(name, listener),
    },
  };
  readonly close = vi.fn();
  readonly connect = vi.fn();
  readonly disconnect = vi.fn(() => this);

  on(name: string, listener: Listener): void {
    this.#listeners.set(name, listener);
  }
  emit(...message: unknown[]): void {
    this.sent.push(message);
  }
  hear(name: string, ...args: unknown[]): void {
    if (name === 'connect') this.connected = true;
    if (name === 'disconnect') this.connected = false;
    this.#listeners.get(name)?.(...args);
  }
  upgrade(): void {
    this.#engine.get('upgrade')?.({ name: 'websocket' });
  }
}

const fake = vi.hoisted(() => ({ io: vi.fn() }));
vi.mock('socket.io-client', () => fake);

const subscribe = (sessionId: string) => ['subscribe_session', { sessionId }];
let server: FakeIo;
let heard: unknown[];
let key: Key;

function open() {
  const handlers = {
    onUp: (transport: string) => heard.push(transport),
    onDown: () => heard.push('down'),
    onEvent: (event: ServerEvent) => heard.push(event.type),
  };
  return openSocket(new URL('http://host:1/below/'), handlers, key);
}

beforeEach(() => {
  server = new FakeIo();
  heard = [];
  key = new Key(null);
  fake.io.mockReset().mockReturnValue(server);
});

describe('transport/socket', () => {
  it('uses the library’s own transports, below the page’s folder', () => {
    open();
    expect(fake.io).toHaveBeenCalledWith('http://host:1', {
      path: '/below/socket.io/',
      auth: expect.any(Function) as unknown,
    });
  });

  it('shows the token of now, each time it connects', () => {
    open();
    const { auth } = fake.io.mock.calls[0]?.[1] as {
      auth: (give: (shown: object) => void) => void;
    };
    const shown: object[] = [];
    auth((a) => shown.push(a));
    key.turn('st_a');
    auth((a) => shown.push(a));
    expect(shown).toEqual([{}, { token: 'st_a' }]);
  });

  it('says that it was refused, and tries again with the next token', () => {
    open();
    server.active = true;
    server.hear('connect_error', new Error('xhr poll error'));
    expect(key.wanted).toBe(false);
    server.active = false;
    server.hear('connect_error', new Error('A valid token is needed'));
    expect(key.wanted).toBe(true);
    expect(server.connect).not.toHaveBeenCalled();
    key.turn('st_a');
    expect(server.connect).toHaveBeenCalledOnce();
  });

  it('joins once connected, and again after a reconnect', () => {
    const socket = open();
    socket.join('*');
    expect(server.sent).toEqual([]);
    server.hear('connect');
    socket.join('a');
    expect(server.sent).toEqual([subscribe('*'), subscribe('a')]);
    server.hear('disconnect');
    server.sent.length = 0;
    server.hear('connect');
    expect(server.sent).toEqual([subscribe('*'), subscribe('a')]);
  });

  it('does not join again what it left', () => {
    const socket = open();
    server.hear('connect');
    socket.join('a');
    socket.leave('a');
    expect(server.sent.at(-1)).toEqual(['unsubscribe_session', { sessionId: 'a' }]);
    server.sent.length = 0;
    server.hear('connect');
    expect(server.sent).toEqual([]);
  });

  it('tells of the transport, the upgrade and the loss', () => {
    open();
    server.hear('connect');
    server.upgrade();
    server.hear('disconnect');
    expect(heard).toEqual(['polling', 'websocket', 'down']);
  });

  it('comes back when the server says good-bye, and leaves other losses to the library', () => {
    open();
    server.hear('connect');
    server.hear('disconnect', 'transport close');
    expect(server.connect).not.toHaveBeenCalled();
    server.hear('connect');
    server.hear('disconnect', 'io server disconnect');
    expect(server.connect).toHaveBeenCalledOnce();
  });

  it('passes on decoded events and drops the rest', () => {
    open();
    server.hear('training_started', { sessionId: 'a' });
    server.hear('training_started', 'nonsense');
    expect(heard).toEqual(['training_started']);
  });

  it('closes', () => {
    open().close();
    expect(server.close).toHaveBeenCalledOnce();
  });
});
