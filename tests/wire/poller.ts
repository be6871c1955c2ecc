// SPDX-License-Identifier: MIT
//
// The long-polling side of Engine.IO by hand, packet by packet, and a WebSocket that knows packets.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { Daemon } from './daemon.ts';
import { Inbox, within } from './waiting.ts';

export const SEPARATOR = '\x1e';
export const SOCKET_IO = '/socket.io/';
/** The echo that the conformance build has. */
export const ECHO = '/engine.io/';

export interface Handshake {
  sid: string;
  upgrades: string[];
  pingInterval: number;
  pingTimeout: number;
  maxPayload: number;
}

export class Poller {
  readonly daemon: Daemon;
  readonly mount: string;
  readonly handshake: Handshake;
  #waiting: string[] = [];

  private constructor(daemon: Daemon, mount: string, handshake: Handshake) {
    this.daemon = daemon;
    this.mount = mount;
    this.handshake = handshake;
  }

  static async open(daemon: Daemon, mount = SOCKET_IO): Promise<Poller> {
    const response = await daemon.fetch(`${mount}?EIO=4&transport=polling`);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'text/plain; charset=UTF-8');
    const text = await response.text();
    assert.equal(text[0], '0');
    return new Poller(daemon, mount, JSON.parse(text.slice(1)) as Handshake);
  }

  /** One that has joined the namespace "/" and read the greeting. */
  static async connected(daemon: Daemon): Promise<Poller> {
    const poller = await Poller.open(daemon);
    await poller.post('40');
    assert.match(await poller.packet(), /^40\{"sid":/);
    assert.match(await poller.packet(), /^42\["connection_established",/);
    return poller;
  }

  get path(): string {
    return `${this.mount}?EIO=4&transport=polling&sid=${this.handshake.sid}`;
  }

  async get(signal?: AbortSignal): Promise<Response> {
    return within('a poll', this.daemon.fetch(this.path, signal ? { signal } : {}));
  }

  /** The packets of one poll. */
  async poll(): Promise<string[]> {
    const response = await this.get();
    const text = await response.text();
    assert.equal(response.status, 200, text);
    return text.split(SEPARATOR);
  }

  /** The next packet; pings are answered and not shown. */
  async packet(): Promise<string> {
    for (;;) {
      const packet = this.#waiting.shift();
      if (packet === undefined) this.#waiting = await this.poll();
      else if (packet === '2') await this.post('3');
      else return packet;
    }
  }

  async send(body: string | Buffer, type = 'text/plain;charset=UTF-8'): Promise<Response> {
    const headers = { 'content-type': type };
    return this.daemon.fetch(this.path, { method: 'POST', headers, body: body as BodyInit });
  }

  async post(...packets: string[]): Promise<void> {
    const response = await this.send(packets.join(SEPARATOR));
    assert.deepEqual([response.status, await response.text()], [200, 'ok']);
  }

  /** A request with this sid is refused, since the session is gone. */
  async gone(): Promise<void> {
    const response = await this.get();
    assert.equal(response.status, 400);
    assert.deepEqual(await response.json(), { code: 1, message: 'Session ID unknown' });
  }
}

/** Engine.IO on a WebSocket: a text frame is a packet, a binary one a message. */
export class PacketSocket {
  readonly socket: WebSocket;
  readonly packets = new Inbox<string | Buffer>('an Engine.IO packet');
  readonly #closed: Promise<{ code: number; reason: string }>;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      this.packets.put(isBinary ? data : String(data));
    });
    this.#closed = once(socket, 'close').then(([code, reason]) => {
      this.packets.end(`closed with ${code} ${reason}`);
      return { code: code as number, reason: String(reason) };
    });
  }

  /** With a sid it is the probe of a polling session, without one a session of its own. */
  static async open(daemon: Daemon, mount = SOCKET_IO, sid?: string): Promise<PacketSocket> {
    const query = `EIO=4&transport=websocket${sid ? `&sid=${sid}` : ''}`;
    const socket = new WebSocket(`ws://127.0.0.1:${daemon.port}${mount}?${query}`);
    const opened = new PacketSocket(socket);
    daemon.defer(() => socket.terminate());
    await within('the WebSocket', once(socket, 'open'));
    return opened;
  }

  /** One whose session has begun. */
  static async begun(daemon: Daemon, mount = SOCKET_IO): Promise<PacketSocket> {
    const opened = await PacketSocket.open(daemon, mount);
    assert.match(String(await opened.packets.next()), /^0\{/);
    return opened;
  }

  static async connected(daemon: Daemon): Promise<PacketSocket> {
    const opened = await PacketSocket.begun(daemon);
    opened.socket.send('40');
    await opened.text(/^42\["connection_established",/);
    return opened;
  }

  get closed(): Promise<{ code: number; reason: string }> {
    return within('the WebSocket to be closed', this.#closed);
  }

  /** Reads on to the next packet that looks like this. */
  async text(pattern: RegExp): Promise<string> {
    return String(await this.packets.until((p) => typeof p === 'string' && pattern.test(p)));
  }
}
