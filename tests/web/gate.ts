// SPDX-License-Identifier: MIT
//
// A reverse proxy before the daemon that may let no socket through, as some companies' do: requests
// to /socket.io/ are refused, upgrades too, and those under way are cut.
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

export class Gate {
  blocksSockets = false;
  readonly #server: Server;
  readonly #port: number;
  readonly #open = new Set<Socket | Duplex>();

  private constructor(port: number) {
    this.#port = port;
    this.#server = createServer((from, to) => {
      if (this.#blocks(from)) {
        to.writeHead(403).end();
        return;
      }
      const { url, method, headers } = from;
      const onward = request({ port, host: '127.0.0.1', path: url, method, headers });
      onward.on('response', (answer) => {
        to.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(to);
      });
      onward.on('error', () => to.destroy());
      from.pipe(onward);
    });
    this.#server.on('upgrade', (from, socket, head) => this.#upgrade(from, socket, head));
  }

  /** Before the daemon on that port. */
  static async open(port: number): Promise<Gate> {
    const gate = new Gate(port);
    gate.#server.listen(0, '127.0.0.1');
    await once(gate.#server, 'listening');
    return gate;
  }

  /** Ends with a slash. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** From now on no socket comes through, and those that did are cut. */
  block(): void {
    this.blocksSockets = true;
    for (const socket of this.#open) socket.destroy();
    this.#open.clear();
  }

  close(): void {
    this.block();
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #blocks(from: IncomingMessage): boolean {
    return this.blocksSockets && (from.url ?? '').startsWith('/socket.io/');
  }

  #upgrade(from: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.#blocks(from)) {
      socket.destroy();
      return;
    }
    const onward = connect(this.#port, '127.0.0.1', () => {
      const lines = Object.entries(from.headers).map(
        ([name, value]) => `${name}: ${String(value)}`,
      );
      onward.write(`GET ${from.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    for (const end of [onward, socket]) {
      this.#open.add(end);
      end.on('error', () => end.destroy());
    }
  }
}
