// SPDX-License-Identifier: MIT
//
// A client of the plain WebSocket dialect, by the npm package `ws`.
import { once } from 'node:events';
import { WebSocket, type ClientOptions } from 'ws';
import type { Daemon } from './daemon.ts';
import { Inbox, within } from './waiting.ts';

export interface Event {
  event: string;
  data: any;
  id?: unknown;
}

export interface Closed {
  code: number;
  reason: string;
}

export class Plain {
  readonly socket: WebSocket;
  readonly events = new Inbox<Event>('an event on the plain WebSocket');
  readonly #closed: Promise<Closed>;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('message', (data) => this.events.put(JSON.parse(String(data)) as Event));
    this.#closed = once(socket, 'close').then(([code, reason]) => {
      this.events.end(`closed with ${code} ${reason}`);
      return { code: code as number, reason: String(reason) };
    });
  }

  static async open(daemon: Daemon, path = '/ws', options: ClientOptions = {}): Promise<Plain> {
    const client = new Plain(new WebSocket(`${daemon.url.replace('http', 'ws')}${path}`, options));
    daemon.defer(() => client.socket.terminate());
    await client.named('connection_established');
    return client;
  }

  get closed(): Promise<Closed> {
    return within('the WebSocket to be closed', this.#closed);
  }

  send(event: string, data: object = {}, id?: number | string): void {
    this.socket.send(JSON.stringify({ event, data, id }));
  }

  /** Reads on to the next event of this name; answers its data. */
  async named(event: string): Promise<any> {
    return (await this.events.until((e) => e.event === event)).data;
  }

  /** The acknowledgement of the message with this id. */
  async ack(id: number | string): Promise<any> {
    return (await this.events.until((e) => e.event === 'ack' && e.id === id)).data;
  }

  /** Is in the room, and has seen what came with that. */
  async subscribe(sessionId: string, more: object = {}): Promise<void> {
    const id = `subscribe ${sessionId}`;
    this.send('subscribe_session', { sessionId, ...more }, id);
    await this.ack(id);
  }

  /** All events of this name so far. */
  seen(event: string): any[] {
    return this.events.all.filter((e) => e.event === event).map((e) => e.data);
  }
}
