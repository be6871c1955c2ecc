// SPDX-License-Identifier: MIT
//
// The client library of this page: connect(url) hears the list of runs, client.session(id) opens one.
// It prefers sockets and does without: when they have been down for a moment it asks over HTTP each
// second, and stops when a socket is back.
import type { ServerEvent } from '../proto/events';
import { createLink, linkOf, onAnswer, onSocketDown, onSocketUp } from '../room/link';
import { wantsFallback, type Link, type LinkState } from '../room/link';
import type { Order } from '../room/order';
import { EVERY_SESSION, noRuns, onList, onRunEvent, type RunsState } from '../room/runs';
import type { Socket } from './socket';
import { Subscription } from './subscription';
import { openWires, type Wires } from './wires';

const TICK_MS = 1000;
/** How often the list is asked for, and holes in open lines are filled, while a socket is up. */
const SLOW_MS = 5000;

export class Client {
  #link: LinkState;
  #runs: RunsState = noRuns;
  #sessions = new Map<string, Subscription>();
  #orders = new Map<string, Order>();
  #query = '';
  #slowAt = -Infinity;
  readonly #wires: Wires;
  readonly #onChange: () => void;
  readonly #socket: Socket;
  readonly #stop: () => void;

  constructor(wires: Wires, onChange: () => void) {
    this.#wires = wires;
    this.#onChange = onChange;
    this.#link = createLink(wires.now());
    this.#socket = wires.openSocket({
      onUp: (transport) => {
        this.#onUp(transport);
      },
      onDown: () => {
        this.#setLink(onSocketDown(this.#link, wires.now()));
      },
      onEvent: (event) => {
        this.#onEvent(event);
      },
    });
    this.#socket.join(EVERY_SESSION);
    this.#stop = wires.every(TICK_MS, () => {
      this.#tick();
    });
    void this.#askList();
  }

  get link(): Link {
    return linkOf(this.#link);
  }

  get runs(): RunsState {
    return this.#runs;
  }

  /** Opens a run, or returns it when it is open. The client owns it; `leave` ends it. */
  session(id: string): Subscription {
    const open = this.#sessions.get(id);
    if (open) return open;
    const opened = new Subscription(id, this.#wires.http, this.#seconds, this.#onChange);
    this.#sessions.set(id, opened);
    this.#socket.join(id);
    void this.#refresh(opened);
    return opened;
  }

  leave(id: string): void {
    if (this.#sessions.delete(id)) this.#socket.leave(id);
  }

  /** Lists only the runs in which this is found, from now on. */
  search(query: string): void {
    if (query === this.#query) return;
    this.#query = query;
    void this.#askList();
  }

  async pin(id: string, pinned: boolean): Promise<void> {
    await this.#wires.http.pin(id, pinned);
    await this.#askList();
  }

  /** What became of the stop that was asked for of a run; undefined: none was. */
  order(id: string): Order | undefined {
    return this.#orders.get(id);
  }

  /** Tells the trainer of a run to stop; `order` says how that went. */
  async stop(id: string, reason: string): Promise<void> {
    this.#setOrder(id, { kind: 'asking' });
    const why = await this.#wires.http.control(id, 'stop', reason);
    this.#setOrder(
      id,
      why === null ? { kind: 'told', at: this.#seconds() } : { kind: 'refused', why },
    );
  }

  close(): void {
    this.#stop();
    this.#socket.close();
  }

  #seconds = (): number => this.#wires.now() / 1000;

  #setLink(link: LinkState): void {
    this.#link = link;
    this.#onChange();
  }

  #setOrder(id: string, order: Order): void {
    this.#orders.set(id, order);
    this.#onChange();
  }

  #onUp(transport: 'websocket' | 'polling'): void {
    const wasDown = this.#link.transport === null;
    this.#setLink(onSocketUp(this.#link, transport, this.#wires.now()));
    if (wasDown) this.#askAll();
  }

  #onEvent(event: ServerEvent): void {
    this.#runs = onRunEvent(this.#runs, event);
    this.#sessions.get(event.sessionId)?.onEvent(event);
    if (event.type === 'training_started') this.#onStarted(event.sessionId);
    this.#onChange();
  }

  /** A new run, or an old id used again: only the daemon's own words say which. */
  #onStarted(id: string): void {
    this.#orders.delete(id);
    void this.#askList();
    const open = this.#sessions.get(id);
    if (open) void this.#refresh(open);
  }

  #tick(): void {
    const now = this.#wires.now();
    const slow = now - this.#slowAt >= SLOW_MS;
    if (slow) this.#slowAt = now;
    if (wantsFallback(this.#link, now)) this.#askOverHttp(slow);
    else if (slow && this.#link.transport !== null) this.#askSlowly();
    // The ages on the page grow by themselves.
    this.#onChange();
  }

  #askOverHttp(slow: boolean): void {
    for (const open of this.#sessions.values()) void this.#refresh(open);
    if (slow || this.#sessions.size === 0) void this.#askList();
  }

  #askSlowly(): void {
    for (const open of this.#sessions.values()) void open.fill();
    void this.#askList();
  }

  #askAll(): void {
    for (const open of this.#sessions.values()) void this.#refresh(open);
    void this.#askList();
  }

  async #refresh(open: Subscription): Promise<void> {
    const answered = await open.refresh();
    this.#setLink(onAnswer(this.#link, answered, this.#wires.now()));
  }

  async #askList(): Promise<void> {
    const query = this.#query;
    const answer = await this.#wires.http.sessions(query);
    if (query !== this.#query) return;
    if (answer.kind === 'ok') this.#runs = onList(answer.value);
    this.#setLink(onAnswer(this.#link, answer.kind === 'ok', this.#wires.now()));
  }
}

/** Connects to the daemon that serves `base`, the address of the page's folder, with its slash. */
export function connect(base: URL, onChange: () => void): Client {
  return new Client(openWires(base), onChange);
}
