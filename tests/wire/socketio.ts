// SPDX-License-Identifier: MIT
//
// The unmodified npm package socket.io-client, with everything it hears kept in order.
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import type { Daemon } from './daemon.ts';
import { Inbox, within } from './waiting.ts';

export interface Heard {
  event: string;
  data: any;
}

export class Client {
  readonly socket: Socket;
  readonly events = new Inbox<Heard>('a Socket.IO event');

  constructor(socket: Socket) {
    this.socket = socket;
    socket.onAny((event: string, data: unknown) => this.events.put({ event, data }));
    socket.on('disconnect', (reason) => this.events.put({ event: 'disconnect', data: reason }));
    socket.on('connect_error', ({ message }) => {
      this.events.put({ event: 'connect_error', data: message });
    });
  }

  get transport(): string {
    return this.socket.io.engine.transport.name;
  }

  /** Reads on to the next event of this name; answers its data. */
  async named(event: string): Promise<any> {
    return (await this.events.until((heard) => heard.event === event)).data;
  }

  /** Emits and waits for the acknowledgement. */
  async ask(event: string, data?: unknown): Promise<any> {
    const args = data === undefined ? [] : [data];
    return within(`the ack of ${event}`, this.socket.emitWithAck(event, ...args));
  }

  seen(event: string): any[] {
    return this.events.all.filter((heard) => heard.event === event).map(({ data }) => data);
  }
}

type Options = Partial<ManagerOptions & SocketOptions>;

/** A client that has not been greeted yet; it is closed with the daemon. */
export function client(
  daemon: Daemon,
  options: Options = {},
  namespace = '/',
  port = daemon.port,
): Client {
  const url = `${daemon.scheme === 'https' ? 'wss' : 'ws'}://127.0.0.1:${port}${namespace}`;
  const made = new Client(io(url, { forceNew: true, ...options }));
  daemon.defer(() => made.socket.disconnect());
  return made;
}

/** The same, greeted; on another port when a proxy is to be between. */
export async function connect(
  daemon: Daemon,
  options: Options = {},
  port = daemon.port,
): Promise<Client> {
  const made = client(daemon, options, '/', port);
  await made.named('connection_established');
  return made;
}
