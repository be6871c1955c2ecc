// SPDX-License-Identifier: MIT
//
// What hears a daemon: the list of runs, and those that are opened with session(id). The package in
// client/ is made around it.
// It prefers sockets and does without: when they have been down for a moment it asks over HTTP each
// second, and stops when a socket is back.
import type { ServerEvent } from '../proto/events';
import type { DaemonStats } from '../proto/stats';
import { onUpdate, ratesOf, still, type Flow, type Rates } from '../room/flow';
import { createLink, linkOf, onAnswer, onSocketDown, onSocketUp } from '../room/link';
import { wantsFallback, type Link, type LinkState } from '../room/link';
import { EVERY_SESSION, noRuns, onList, onRunEvent, type RunsState } from '../room/runs';
import { Orders } from './orders';
import type { Socket } from './socket';
import { Subscription } from './subscription';
import type { Wires } from './wires';

const TICK_MS = 1000;
/** How often the list is asked for, and holes in open lines are filled, while a socket is up. */
const SLOW_MS = 5000;

export class Client {
  #link: LinkState;
  #runs: RunsState = noRuns;
  #sessions = new Map<string, Subscription>();
  #flows = new Map<string, Flow>();
  #stats: DaemonStats | null = null;
  #query = '';
  #slowAt = -Infinity;
  /** What was asked of trainers here. */
  readonly orders: Orders;
  readonly #wires: Wires;
  readonly #onChange: () => void;
  readonly #tell: (event: ServerEvent) => void;
  readonly #socket: Socket;
  readonly #stop: () => void;

  /** `onEvent` is told of each event once it has had its effect here. */
  constructor(
    wires: Wires,
    onChange: () => void,
    onEvent: (event: ServerEvent) => void = () => undefined,
  ) {
    this.#tell = onEvent;
    this.#wires = wires;
    this.#onChange = onChange;
    this.orders = new Orders(wires.http, this.#seconds, onChange);
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
    this.#flows.delete(id);
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

  /** What the daemon counts of all runs; null until it said. */
  get stats(): DaemonStats | null {
    return this.#stats;
  }

  /** How fast an open run is recorded and told; null while too little came to say. */
  rates(id: string): Rates | null {
    return ratesOf(this.#flows.get(id) ?? still, this.#seconds());
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

  #onUp(transport: 'websocket' | 'polling'): void {
    const wasDown = this.#link.transport === null;
    this.#setLink(onSocketUp(this.#link, transport, this.#wires.now()));
    if (wasDown) this.#askAll();
  }

  #onEvent(event: ServerEvent): void {
    this.#runs = onRunEvent(this.#runs, event);
    this.#sessions.get(event.sessionId)?.onEvent(event);
    if (event.type === 'progress_update' && event.offset !== null) {
      const flow = this.#flows.get(event.sessionId) ?? still;
      this.#flows.set(event.sessionId, onUpdate(flow, event.offset, this.#seconds()));
    }
    if (event.type === 'training_started') this.#onStarted(event.sessionId);
    this.#tell(event);
    this.#onChange();
  }

  /** A new run, or an old id used again: only the daemon's own words say which. */
  #onStarted(id: string): void {
    this.orders.forget(id);
    void this.#askList();
    const open = this.#sessions.get(id);
    if (open) void this.#refresh(open);
  }

  #tick(): void {
    const now = this.#wires.now();
    const slow = now - this.#slowAt >= SLOW_MS;
    if (slow) {
      this.#slowAt = now;
      void this.#askStats();
    }
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

  async #askStats(): Promise<void> {
    const answer = await this.#wires.http.stats();
    if (answer.kind === 'ok') this.#stats = answer.value;
  }

  async #askList(): Promise<void> {
    const query = this.#query;
    const answer = await this.#wires.http.sessions(query);
    if (query !== this.#query) return;
    if (answer.kind === 'ok') this.#runs = onList(answer.value);
    this.#setLink(onAnswer(this.#link, answer.kind === 'ok', this.#wires.now()));
  }
}
