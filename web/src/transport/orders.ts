// SPDX-License-Identifier: MIT
//
// What was asked of trainers on this page, and what became of it.
import type { Order } from '../room/order';
import type { Http } from './http';

export class Orders {
  readonly #orders = new Map<string, Order>();
  readonly #http: Http;
  readonly #now: () => number;
  readonly #onChange: () => void;

  /** `now` tells epoch seconds. */
  constructor(http: Http, now: () => number, onChange: () => void) {
    this.#http = http;
    this.#now = now;
    this.#onChange = onChange;
  }

  /** The stop that was asked for of a run; undefined: none was. */
  of(id: string): Order | undefined {
    return this.#orders.get(id);
  }

  /** Tells the trainer of a run to stop. */
  async stop(id: string, reason: string): Promise<void> {
    this.#set(id, { kind: 'asking' });
    const why = await this.#http.control(id, 'stop', reason);
    this.#set(id, why === null ? { kind: 'told', at: this.#now() } : { kind: 'refused', why });
  }

  /** The run has begun anew: what was asked is not about it. */
  forget(id: string): void {
    this.#orders.delete(id);
  }

  #set(id: string, order: Order): void {
    this.#orders.set(id, order);
    this.#onChange();
  }
}
