// SPDX-License-Identifier: MIT
//
// The page's only socket: socket.io-client with its own defaults, that is, long-polling first, then
// the upgrade to WebSocket, and reconnection for ever. The server forgets a client's rooms with its
// connection, so they are remembered here and joined again.
import { io } from 'socket.io-client';
import { decodeEvent, EVENT_NAMES, type ServerEvent } from '../proto/events';
import type { Key } from './key';

export interface SocketHandlers {
  /** Called on connect, and again after the upgrade. */
  onUp(transport: 'websocket' | 'polling'): void;
  onDown(): void;
  onEvent(event: ServerEvent): void;
}

export interface Socket {
  join(room: string): void;
  leave(room: string): void;
  close(): void;
}

/** `base` is the address of the page's folder, with its slash. */
export function openSocket(base: URL, handlers: SocketHandlers, key: Key): Socket {
  const rooms = new Set<string>();
  const auth = (give: (auth: object) => void) => {
    give(key.token === null ? {} : { token: key.token });
  };
  const socket = io(base.origin, { path: `${base.pathname}socket.io/`, auth });
  const subscribe = (room: string) => socket.emit('subscribe_session', { sessionId: room });

  function onTransport(name: string): void {
    handlers.onUp(name === 'websocket' ? 'websocket' : 'polling');
  }
  socket.on('connect', () => {
    const { engine } = socket.io;
    onTransport(engine.transport.name);
    engine.on('upgrade', (transport: { name: string }) => {
      onTransport(transport.name);
    });
    rooms.forEach(subscribe);
  });
  socket.on('disconnect', (reason) => {
    handlers.onDown();
    // The library comes back from every loss but this one, which it takes for a farewell.
    if (reason === 'io server disconnect') socket.connect();
  });
  // A refusal by the daemon itself; the library goes on by itself after all others.
  socket.on('connect_error', () => {
    if (!socket.active) key.refused();
  });
  key.onChange(() => {
    if (!key.wanted && !socket.connected) socket.disconnect().connect();
  });
  for (const name of EVENT_NAMES) {
    socket.on(name, (payload: unknown) => {
      const event = decodeEvent(name, payload);
      if (event) handlers.onEvent(event);
    });
  }
  return {
    join(room) {
      rooms.add(room);
      // What is emitted before the connection would be sent after it, a second time.
      if (socket.connected) subscribe(room);
    },
    leave(room) {
      rooms.delete(room);
      if (socket.connected) socket.emit('unsubscribe_session', { sessionId: room });
    },
    close() {
      socket.close();
    },
  };
}
