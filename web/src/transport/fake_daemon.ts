// SPDX-License-Identifier: MIT
//
// A daemon and a clock for the tests of this folder: answers are set, events are said, time moves
// only when told to.
import { decodeEvent, type EventName } from '../proto/events';
import { decodeHistory, type HistoryRequest } from '../proto/history';
import { decodeInsight } from '../proto/insight';
import { decodeSession, decodeSessionList } from '../proto/session';

import type { DaemonStats } from '../proto/stats';
import type { Answer, Http } from './http';
import type { SocketHandlers } from './socket';
import type { Wires } from './wires';

export interface FakeRun {
  session_id: string;
  status: string;
  start_time: number;
  [field: string]: unknown;
}

function ok<T>(value: T | null): Answer<T> {
  return value === null ? { kind: 'failed' } : { kind: 'ok', value };
}

export class FakeDaemon implements Http {
  /** False: every request fails. */
  reachable = true;
  runs: FakeRun[] = [];
  /** Entries by run. */
  entries: Record<string, { offset: number; [field: string]: unknown }[]> = {};
  /** What is made of runs, as the wire has it. */
  insights: Record<string, object> = {};
  counted: DaemonStats | null = null;
  /** What was asked, in order. */
  readonly asked: string[] = [];
  readonly rooms = new Set<string>();
  now = 1_000_000;
  handlers: SocketHandlers | null = null;
  #tick: () => void = () => undefined;

  readonly wires: Wires = {
    http: this,
    openSocket: (handlers) => {
      this.handlers = handlers;
      return {
        join: (room) => void this.rooms.add(room),
        leave: (room) => void this.rooms.delete(room),
        close: () => void (this.handlers = null),
      };
    },
    now: () => this.now,
    every: (_, callback) => {
      this.#tick = callback;
      return () => void (this.#tick = () => undefined);
    },
  };

  sessions(query: string) {
    const sessions = this.runs.filter(({ session_id }) => session_id.includes(query));
    const data = { sessions, total: sessions.length };
    return this.#answer(`sessions${query && ` ${query}`}`, () =>
      ok(decodeSessionList({ success: true, data })),
    );
  }

  status(id: string) {
    const run = this.runs.find(({ session_id }) => session_id === id);
    return this.#answer(`status ${id}`, () => (run ? ok(decodeSession(run)) : { kind: 'missing' }));
  }

  history(id: string, { after, points, steps }: HistoryRequest) {
    const data = (this.entries[id] ?? []).filter(({ offset }) => offset > after);
    const range = steps ? ` ${steps.join('..')}` : '';
    return this.#answer(`history ${id} ${after} ${points}${range}`, () =>
      ok(decodeHistory({ success: true, data, sessionId: id, total: data.length })),
    );
  }

  insight(id: string) {
    const data = { sessionId: id, phase: null, phases: [], ...this.insights[id] };
    return this.#answer(`insight ${id}`, () => ok(decodeInsight({ success: true, data })));
  }

  stats() {
    return this.#answer('stats', () => ok(this.counted));
  }

  pin(id: string, pinned: boolean) {
    this.runs = this.runs.map((run) => (run.session_id === id ? { ...run, pinned } : run));
    return this.#answer(`pin ${id} ${String(pinned)}`, () =>
      ok(decodeSession(this.runs.find(({ session_id }) => session_id === id))),
    );
  }

  /** Why a command is refused; null: the trainer is told. */
  refusal: string | null = null;

  control(id: string, command: string, reason: string) {
    this.asked.push(`control ${id} ${command} ${reason}`);
    return Promise.resolve(this.refusal);
  }

  /** Says an event over the socket. */
  say(name: EventName, payload: object): void {
    const event = decodeEvent(name, payload);
    if (event) this.handlers?.onEvent(event);
  }

  /** Lets seconds pass, one tick each, with every answer delivered in between. */
  async pass(seconds: number): Promise<void> {
    for (let i = 0; i < seconds; i++) {
      this.now += 1000;
      this.#tick();
      await this.settle();
    }
  }

  /** Delivers the answers that are under way. */
  async settle(): Promise<void> {
    for (let i = 0; i < 10; i++) await Promise.resolve();
  }

  #answer<T>(what: string, answer: () => Answer<T>): Promise<Answer<T>> {
    this.asked.push(what);
    return Promise.resolve(this.reachable ? answer() : { kind: 'failed' });
  }
}
