// SPDX-License-Identifier: MIT
//
// HTTP as bytes on a socket, for what no HTTP library lets a test send or see.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Daemon } from './daemon.ts';
import { eventually, within } from './waiting.ts';

export interface RawResponse {
  status: number;
  /** By lower-case name; several of one name are joined with a comma. */
  headers: Record<string, string>;
  body: Buffer;
}

export class RawHttp {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #wake: () => void = () => {};
  #ended = false;
  readonly #closed: Promise<unknown>;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      this.#wake();
    });
    socket.on('end', () => this.#end());
    // Not `once`, which an error before the close would make reject.
    this.#closed = new Promise<void>((closed) => socket.on('close', closed)).then(() =>
      this.#end(),
    );
  }

  static async connect(daemon: Daemon): Promise<RawHttp> {
    const socket = connect({ port: daemon.port, host: '127.0.0.1', allowHalfOpen: true });
    const http = new RawHttp(socket);
    await within('a connection', once(socket, 'connect'));
    daemon.defer(() => socket.destroy());
    return http;
  }

  #end(): void {
    this.#ended = true;
    this.socket.end();
    this.#wake();
  }

  write(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** Waits until the daemon has read what was written: each wake-up serves all that is readable. */
  async taken(daemon: Daemon): Promise<void> {
    await within('a write', new Promise((written) => this.socket.write('', written)));
    await daemon.json('/health');
  }

  get closed(): Promise<unknown> {
    return within('the connection to be closed', this.#closed);
  }

  /** Everything until the daemon closes the connection. */
  async rest(): Promise<Buffer> {
    await eventually('the connection to be ended', () => this.#ended);
    return this.#received;
  }

  /** Takes `count` bytes off what has come. */
  async bytes(count: number): Promise<Buffer> {
    await this.#until(() => this.#received.length >= count, `${count} bytes`);
    const taken = this.#received.subarray(0, count);
    this.#received = this.#received.subarray(count);
    return taken;
  }

  /** Takes the next response off; `method` tells whether it has a body. */
  async response(method = 'GET'): Promise<RawResponse> {
    let end = -1;
    await this.#until(() => (end = this.#received.indexOf('\r\n\r\n')) >= 0, 'a response');
    const head = (await this.bytes(end + 4)).toString('latin1').trimEnd().split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head[0] ?? '')?.[1]);
    const headers: Record<string, string> = {};
    for (const line of head.slice(1)) {
      const [, name, value] = /^([^:]+):\s*(.*)$/.exec(line) as unknown as [string, string, string];
      const key = name.toLowerCase();
      headers[key] = key in headers ? `${headers[key]}, ${value}` : value;
    }
    const hasBody = method !== 'HEAD' && status >= 200 && status !== 204 && status !== 304;
    const length = hasBody ? Number(headers['content-length'] ?? 0) : 0;
    const chunked = hasBody && headers['transfer-encoding'] === 'chunked';
    return { status, headers, body: await (chunked ? this.#chunks() : this.bytes(length)) };
  }

  async #chunks(): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for (;;) {
      let end = -1;
      await this.#until(() => (end = this.#received.indexOf('\r\n')) >= 0, 'a chunk');
      const size = (await this.bytes(end + 2)).toString('latin1').trimEnd();
      assert.match(size, /^[0-9a-f]+$/);
      chunks.push(await this.bytes(parseInt(size, 16)));
      assert.equal((await this.bytes(2)).toString('latin1'), '\r\n');
      if (size === '0') return Buffer.concat(chunks);
    }
  }

  async #until(holds: () => boolean, what: string): Promise<void> {
    const wait = async () => {
      while (!holds()) {
        if (this.#ended) throw new Error(`connection ended before ${what}`);
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    };
    await within(what, wait());
  }
}

/** The head of a request for a daemon on loopback. */
export function request(method: string, path: string, ...headers: string[]): string {
  return [`${method} ${path} HTTP/1.1`, 'Host: 127.0.0.1', ...headers, '', ''].join('\r\n');
}

/** Sends bytes on a connection of their own and reads all that is answered until it is closed. */
export async function exchange(daemon: Daemon, bytes: string | Buffer): Promise<string> {
  const http = await RawHttp.connect(daemon);
  http.write(bytes);
  return (await http.rest()).toString('latin1');
}

/** The status codes of the responses in a stream of bytes. */
export function statuses(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((found) => Number(found[1]));
}
