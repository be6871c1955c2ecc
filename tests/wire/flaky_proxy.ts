// SPDX-License-Identifier: MIT
//
// A TCP proxy in front of a daemon that loses its connections, all at once and in the middle of
// whatever is on its way.
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Daemon } from './daemon.ts';

export class FlakyProxy {
  cuts = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #budgets: () => number;
  #budget: number;

  /** `budgets` says after how many bytes to the clients the next cut comes; Infinity: none. */
  private constructor(daemon: Daemon, budgets: () => number) {
    this.#budgets = budgets;
    this.#budget = budgets();
    this.#server = createServer((socket) => this.#join(socket, connect(daemon.port, '127.0.0.1')));
    daemon.defer(() => {
      this.#server.close();
      this.#loseAll();
    });
  }

  static async start(daemon: Daemon, budgets: () => number): Promise<FlakyProxy> {
    const proxy = new FlakyProxy(daemon, budgets);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  cut(): void {
    this.cuts++;
    this.#budget = this.#budgets();
    this.#loseAll();
  }

  #loseAll(): void {
    this.#sockets.forEach((socket) => socket.destroy());
    this.#sockets.clear();
  }

  #join(client: Socket, daemon: Socket): void {
    for (const [one, other] of [
      [client, daemon],
      [daemon, client],
    ] as const) {
      this.#sockets.add(one);
      one.setNoDelay();
      one.on('error', () => {});
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
    client.on('data', (bytes) => daemon.write(bytes));
    daemon.on('data', (bytes) => {
      const passes = bytes.subarray(0, this.#budget);
      this.#budget -= bytes.length;
      if (this.#budget > 0) client.write(passes);
      else client.write(passes, () => this.cut());
    });
  }
}
