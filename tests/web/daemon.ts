// SPDX-License-Identifier: MIT
//
// A real daemon for one test: its own port, its own socket, nothing on disk. $STREAMD names the
// binary. The trainer is a Unix stream socket that lines are written into.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const root = resolve(import.meta.dirname, '../..');
export const binary = resolve(root, process.env.STREAMD ?? 'build/release/streamd');
const web = resolve(root, 'web/dist');

export class Daemon {
  /** Ends with a slash. */
  url = '';
  readonly #folder: string;
  readonly #socketPath: string;
  #process: ChildProcess | null = null;
  #trainer: Socket | null = null;
  /** The commands that the trainer was told. */
  readonly #told: string[] = [];
  #acked = 0;
  #onTold: () => void = () => {};

  readonly #durable: boolean;

  readonly #options: readonly string[];

  private constructor(folder: string, durable: boolean, options: readonly string[]) {
    this.#options = options;
    this.#folder = folder;
    this.#durable = durable;
    this.#socketPath = join(folder, 'trainer.sock');
  }

  /** `durable`: what it took in is there again when it is started again. */
  static async start({ durable = false, options = [] as readonly string[] } = {}): Promise<Daemon> {
    const folder = await mkdtemp(join(tmpdir(), 'streamd-web-'));
    const daemon = new Daemon(folder, durable, options);
    await daemon.run('127.0.0.1:0');
    return daemon;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** Starts the process and reads its one line on stdout, which says where it listens. */
  async run(listen: string): Promise<void> {
    const store = this.#durable ? ['--data', join(this.#folder, 'data')] : ['--ephemeral'];
    const options = [
      '--listen',
      listen,
      '--socket',
      this.#socketPath,
      ...store,
      '--web',
      web,
      ...this.#options,
    ];
    const child = spawn(binary, options, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#process = child;
    for await (const line of createInterface({ input: child.stdout })) {
      const found = /listening on (http:\/\/\S+)/.exec(line);
      if (!found?.[1]) continue;
      this.url = new URL('/', found[1]).href;
      child.stdout.resume();
      return;
    }
    throw new Error(`${binary} ended without saying where it listens`);
  }

  /** Ends it as a crash would, or as a service manager does. */
  async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    this.#trainer?.destroy();
    this.#trainer = null;
    const child = this.#process;
    this.#process = null;
    if (!child || child.exitCode !== null) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  }

  /** Starts it again where it was. */
  async restart(): Promise<void> {
    await this.run(`127.0.0.1:${this.port}`);
  }

  /** Writes trainer lines, in order. */
  async push(...lines: object[]): Promise<void> {
    this.#trainer ??= await this.#dial();
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    const trainer = this.#trainer;
    await new Promise<void>((done, fail) => {
      trainer.write(text, (error) => {
        if (error) fail(error);
        else done();
      });
    });
  }

  /** Waits until everything up to this `seq` is kept. */
  async waitForAck(seq: number): Promise<void> {
    while (this.#acked < seq) await new Promise<void>((told) => (this.#onTold = told));
  }

  /** Waits until the trainer has been told to do this. */
  async waitForCommand(command: string): Promise<void> {
    while (!this.#told.includes(command)) {
      await new Promise<void>((told) => (this.#onTold = told));
    }
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #dial(): Promise<Socket> {
    const socket = connect(this.#socketPath);
    createInterface({ input: socket }).on('line', (line) => {
      const answer = JSON.parse(line) as { type: string; command?: string; seq?: number };
      if (answer.type === 'ack') this.#acked = Number(answer.seq);
      if (answer.type === 'control') this.#told.push(String(answer.command));
      this.#onTold();
    });
    socket.on('error', () => socket.destroy());
    await once(socket, 'connect');
    return socket;
  }
}
