// SPDX-License-Identifier: MIT
//
// A real daemon for one test: port 0, a socket of its own, nothing on disk. $STREAMD names the
// binary, $CONFORMANCE the one with the handlers of tests/conformance/. It is ended with the test,
// and the test fails when it died before, left a sanitizer's report or did not exit with 0.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually, within } from './waiting.ts';

export const root = resolve(import.meta.dirname, '../..');
const streamd = resolve(root, process.env['STREAMD'] ?? 'build/release/streamd');
const conformance = resolve(
  root,
  process.env['CONFORMANCE'] ?? 'build/conformance/streamd-conformance',
);

const running = new Set<ChildProcess>();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));
process.on('SIGTERM', () => process.exit(1));

/** An empty folder that goes with the test. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'streamd-wire-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A process that is killed when the tests end, whatever happens. Its stderr is kept. */
export class Child {
  readonly process: ChildProcess;
  readonly exited: Promise<number | NodeJS.Signals>;
  stderr = '';

  constructor(command: string, args: string[]) {
    this.process = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(this.process);
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.exited = once(this.process, 'close').then(([code, signal]) => {
      running.delete(this.process);
      return code ?? signal;
    });
  }

  get gone(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }
}

export class Daemon {
  port = 0;
  socketPath: string;
  readonly #child: Child;
  readonly #folder: string;
  readonly #closers: (() => unknown)[] = [];
  #expectedExit: number | NodeJS.Signals | null = null;

  private constructor(binary: string, options: string[]) {
    this.#folder = mkdtempSync(join(tmpdir(), 'streamd-wire-'));
    this.socketPath = join(this.#folder, 'trainer.sock');
    const given = ['--listen', '127.0.0.1:0', '--socket', this.socketPath, '--ephemeral'];
    this.#child = new Child(binary, [...given, ...options]);
  }

  static async start(t: TestContext, ...options: string[]): Promise<Daemon> {
    return Daemon.#start(t, streamd, options);
  }

  static async startConformance(t: TestContext, ...options: string[]): Promise<Daemon> {
    return Daemon.#start(t, conformance, options);
  }

  static async #start(t: TestContext, binary: string, options: string[]): Promise<Daemon> {
    const daemon = new Daemon(binary, options);
    t.after(() => daemon.stop());
    await within(`${binary} to listen`, daemon.#readPort());
    return daemon;
  }

  /** Starts one that must not start; answers what it says to that. */
  static async refuses(...options: string[]): Promise<string> {
    const child = new Child(streamd, ['--ephemeral', '--listen', '127.0.0.1:0', ...options]);
    assert.equal(await within('the daemon to refuse', child.exited), 1, child.stderr);
    return child.stderr;
  }

  async #readPort(): Promise<void> {
    const { stdout } = this.#child.process;
    assert(stdout);
    for await (const line of createInterface({ input: stdout })) {
      const found = /^listening on http:\/\/127\.0\.0\.1:(\d+)$/.exec(line);
      if (!found) continue;
      this.port = Number(found[1]);
      stdout.resume();
      return;
    }
    throw new Error(`ended without listening:\n${this.#child.stderr}`);
  }

  get pid(): number {
    return this.#child.process.pid as number;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get log(): string {
    return this.#child.stderr;
  }

  get exited(): Promise<number | NodeJS.Signals> {
    return within('the daemon to exit', this.#child.exited);
  }

  /** Waits until the log says this. */
  async logged(pattern: RegExp): Promise<void> {
    await eventually(`the log to say ${pattern}`, () => pattern.test(this.log));
  }

  /** Waits until SIGSTOP has stopped it. */
  async stopped(): Promise<void> {
    const state = () => /\) (\w)/.exec(readFileSync(`/proc/${this.pid}/stat`, 'utf8'))?.[1];
    await eventually('the daemon to stop', () => state() === 'T');
  }

  /** A client's close, called before the daemon is ended; the last client first. */
  defer(close: () => unknown): void {
    this.#closers.push(close);
  }

  /** The test ends the daemon itself, in this way. */
  signal(name: NodeJS.Signals, thenExits?: number | NodeJS.Signals): void {
    if (thenExits !== undefined) this.#expectedExit = thenExits;
    this.#child.process.kill(name);
  }

  async fetch(path: string, init?: RequestInit): Promise<Response> {
    return fetch(this.url + path, init);
  }

  /** A route's JSON, whatever its status. */
  async json(path: string): Promise<any> {
    return (await this.fetch(path)).json();
  }

  /** One figure of /metrics, without its prefix. */
  async counter(name: string): Promise<number> {
    const text = await (await this.fetch('/metrics')).text();
    const found = new RegExp(`^streamd_${name} (\\S+)$`, 'm').exec(text);
    assert(found, `no counter ${name}`);
    return Number(found[1]);
  }

  /** Waits until a figure of /metrics is this one. */
  async until(name: string, value: number): Promise<void> {
    await eventually(`${name} to be ${value}`, async () => (await this.counter(name)) === value);
  }

  /** Resident memory. */
  rssBytes(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
  }

  /** The share of one processor that it uses during half a second: a measurement, not a wait. */
  async cpuShare(): Promise<number> {
    const before = this.#cpuTicks();
    const began = performance.now();
    await pause(500);
    return ((this.#cpuTicks() - before) * 10) / (performance.now() - began);
  }

  /** Processor time so far, user and system, in clock ticks of 10 ms. */
  #cpuTicks(): number {
    const fields = readFileSync(`/proc/${this.pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return Number(fields[11]) + Number(fields[12]);
  }

  async stop(): Promise<void> {
    for (const close of this.#closers.reverse()) await close();
    if (this.#expectedExit === null) {
      assert(!this.#child.gone, `the daemon died during the test:\n${this.log}`);
      this.signal('SIGTERM', 0);
    }
    const exit = await this.exited.finally(() => this.#child.process.kill('SIGKILL'));
    rmSync(this.#folder, { recursive: true, force: true });
    assert.equal(exit, this.#expectedExit, `the daemon ended so:\n${this.log}`);
    assert.doesNotMatch(this.log, /Sanitizer|runtime error:|Assertion/);
  }
}
