// SPDX-License-Identifier: MIT
//
// A trainer on the Unix socket: lines out, answers in.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Daemon } from './daemon.ts';
import { Inbox, within } from './waiting.ts';

export interface Answer {
  type: string;
  [field: string]: unknown;
}

export class Trainer {
  readonly answers = new Inbox<Answer>('an answer to the trainer');
  readonly socket: Socket;
  readonly #closed: Promise<unknown>;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.end());
    this.#closed = once(socket, 'close').then(() => this.answers.end('the connection was closed'));
    createInterface({ input: socket }).on('line', (line) => {
      this.answers.put(JSON.parse(line) as Answer);
    });
  }

  static async connect(daemon: Daemon): Promise<Trainer> {
    const socket = connect({ path: daemon.socketPath, allowHalfOpen: true });
    await within('the trainer socket', once(socket, 'connect'));
    const trainer = new Trainer(socket);
    daemon.defer(() => socket.destroy());
    return trainer;
  }

  get closed(): Promise<unknown> {
    return within('the trainer connection to be closed', this.#closed);
  }

  /** Writes lines as they are, all in one write. */
  write(text: string | Buffer): void {
    this.socket.write(text);
  }

  /** Writes objects, one a line, all in one write. */
  send(...lines: object[]): void {
    this.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }

  /** Sends them and waits until the daemon has taken them. */
  async push(...lines: object[]): Promise<void> {
    this.send(...lines, { type: 'ping' });
    await this.answers.until(({ type }) => type === 'pong');
  }

  /** A session that has begun; `more` are fields of its start line. */
  async start(sessionId: string, more: object = {}): Promise<Answer> {
    this.send({ type: 'start', sessionId, ...more });
    return this.answers.until(({ type }) => type === 'started');
  }
}

export function progress(sessionId: string, metrics: object, more: object = {}): object {
  return { type: 'progress', sessionId, metrics, ...more };
}

/** `count` records whose step counts up from `from`. */
export function steps(sessionId: string, count: number, from = 1): object[] {
  return Array.from({ length: count }, (_, i) =>
    progress(sessionId, { loss: 2.5 / (from + i), step: from + i, total_steps: 10_000 }),
  );
}

/** A connected trainer whose sessions of these names have begun. */
export async function training(daemon: Daemon, ...sessionIds: string[]): Promise<Trainer> {
  const trainer = await Trainer.connect(daemon);
  for (const id of sessionIds) await trainer.start(id);
  return trainer;
}
