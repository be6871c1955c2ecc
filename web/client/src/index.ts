// SPDX-License-Identifier: MIT
//
// streamd-client: a daemon as a page or a script hears it. This is what the dashboard itself is made
// from: sockets first, HTTP while there are none, back by itself, and nothing missed in between.
import type { ServerEvent } from '../../src/proto/events';
import type { Point } from '../../src/proto/history';
import type { SessionStatus } from '../../src/proto/session';
import type { Link } from '../../src/room/link';
import type { SessionState } from '../../src/session/session';
import { Client } from '../../src/transport/client';
import type { Command } from '../../src/transport/http';
import { Key } from '../../src/transport/key';
import { openWires, type Wires } from '../../src/transport/wires';

export type { Command, Link, Point, ServerEvent, SessionState, SessionStatus };

/** The events of a run, under the names they have on the wire; `progress` for short. */
type Named = { [Type in ServerEvent['type']]: Extract<ServerEvent, { type: Type }> };
export interface SessionEvents extends Named {
  progress: Named['progress_update'];
  /** Anything about it, also over HTTP: look at `state`. */
  change: SessionState;
}

export interface HistoryRequest {
  /** Only what came after this offset. */
  readonly after?: number;
  /** About how many points of each metric; 1000 unless told. */
  readonly points?: number;
  /** Which metrics; `loss` unless told. */
  readonly fields?: readonly string[];
}

/** The address of a daemon, however it is spelt: ws://, http://, with or without a slash. */
function baseOf(url: string | URL): URL {
  const base = new URL(String(url).replace(/^ws/, 'http'));
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  return base;
}

type Listener = (value: never) => void;

/** Who wants to hear what; a listener may leave while it is told something. */
class Listeners {
  readonly #byName = new Map<string, Set<Listener>>();

  add(name: string, listener: Listener): () => void {
    const all = this.#byName.get(name) ?? new Set();
    this.#byName.set(name, all.add(listener));
    return () => void all.delete(listener);
  }

  tell(name: string, value: unknown): void {
    for (const listener of [...(this.#byName.get(name) ?? [])]) listener(value as never);
  }
}

/** One run that is listened to. */
export class Session {
  readonly id: string;
  readonly #daemon: Daemon;
  readonly #listeners = new Listeners();

  constructor(id: string, daemon: Daemon) {
    this.id = id;
    this.#daemon = daemon;
  }

  /** What is known of it; replaced, never changed. */
  get state(): SessionState {
    return this.#daemon.client.session(this.id).state;
  }

  /** Returns how to hear no more. */
  on<Name extends keyof SessionEvents>(
    name: Name,
    listener: (event: SessionEvents[Name]) => void,
  ): () => void {
    return this.#listeners.add(name === 'progress' ? 'progress_update' : name, listener);
  }

  history(request: HistoryRequest = {}): Promise<readonly Point[]> {
    return this.#daemon.history(this.id, request);
  }

  /** Hands a command to its trainer: null when one was told, else why none was. */
  control(command: Command, reason = ''): Promise<string | null> {
    return this.#daemon.control(this.id, command, reason);
  }

  /** Listens no more. */
  leave(): void {
    this.#daemon.leave(this.id);
  }

  /** For the daemon's own use. */
  tell(name: string, value: unknown): void {
    this.#listeners.tell(name, value);
  }
}

/** A connection to one daemon; `close` ends it. */
export class Daemon {
  /** What stands below, as the dashboard uses it: lines, rates, orders. */
  readonly client: Client;
  readonly #sessions = new Map<string, Session>();
  readonly #listeners = new Listeners();
  readonly #wires: Wires;

  constructor(wires: Wires) {
    this.#wires = wires;
    this.client = new Client(
      wires,
      () => {
        this.#onChange();
      },
      (event) => {
        this.#sessions.get(event.sessionId)?.tell(event.type, event);
      },
    );
  }

  /** How it is heard just now. */
  get link(): Link {
    return this.client.link;
  }

  /** The newest runs; empty until the daemon has answered. */
  get runs(): readonly SessionStatus[] {
    return this.client.runs.runs;
  }

  /** `change`: anything may be different. Returns how to hear no more. */
  on(name: 'change', listener: () => void): () => void {
    return this.#listeners.add(name, listener);
  }

  /** Listens to a run, which need not exist yet. The same object while it is listened to. */
  session(id: string): Session {
    const open = this.#sessions.get(id);
    if (open) return open;
    const session = new Session(id, this);
    this.#sessions.set(id, session);
    this.client.session(id);
    return session;
  }

  leave(id: string): void {
    this.#sessions.delete(id);
    this.client.leave(id);
  }

  /** Oldest first. Rejects when the daemon does not answer. */
  async history(id: string, request: HistoryRequest = {}): Promise<readonly Point[]> {
    const { after = -1, points = 1000, fields = ['loss'] } = request;
    const answer = await this.#wires.http.history(id, { after, points, fields });
    if (answer.kind !== 'ok') throw new Error(`the daemon did not give the history of ${id}`);
    return answer.value;
  }

  /** Hands a command to the trainer of a run: null when one was told, else why none was. */
  control(id: string, command: Command, reason = ''): Promise<string | null> {
    return this.#wires.http.control(id, command, reason);
  }

  close(): void {
    this.#sessions.clear();
    this.client.close();
  }

  #onChange(): void {
    for (const session of this.#sessions.values()) session.tell('change', session.state);
    this.#listeners.tell('change', undefined);
  }
}

/**
 * Connects, with a token where the daemon asks for one. Wires are for the dashboard, for tests and
 * for pages that were saved.
 */
export function connect(url: string | URL, how: Wires | { token?: string } = {}): Daemon {
  if ('http' in how) return new Daemon(how);
  return new Daemon(openWires(baseOf(url), new Key(null, how.token ?? null)));
}
