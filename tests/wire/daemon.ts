// SPDX-License-Identifier: MIT
//
// A real daemon for one test: port 0, a socket of its own, nothing on disk. $STREAMD names the
// binary, $CONFORMANCE the one with the handlers of tests/conformance/. It is ended with the test,
// and the test fails when it died before, left a sanitizer's report or did not exit with 0.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Child } from './child.ts';
import { eventually, Inbox, within } from './waiting.ts';

const root = resolve(import.meta.dirname, '../..');
export const streamd = resolve(root, process.env['STREAMD'] ?? 'build/release/streamd');
const conformance = resolve(
  root,
  process.env['CONFORMANCE'] ?? 'build/conformance/streamd-conformance',
);
/** The demo's trainer, built beside the daemon. */
export const trainer = join(dirname(streamd), 'demo-trainer');

/** For tests whose time is their clients': the plain build has run them. False: run it. */
export const onlyPlain: string | false = (process.env['STREAMD'] ?? '').includes('/asan/')
  ? 'its clients are slow and send what the plain build was sent; tests/faults/test_mcp.py is run'
  : false;

export class Daemon {
  port = 0;
  /** https with --tls-cert. */
  scheme = 'http';
  socketPath: string;
  /** The addresses it says it listens on; the first has been read. */
  readonly listening = new Inbox<string>('an address to listen on');
  readonly #child: Child;
  readonly #folder: string;
  readonly #closers: (() => unknown)[] = [];
  #expectedExit: number | NodeJS.Signals | null = null;

  private constructor(binary: string, options: string[]) {
    this.#folder = mkdtempSync(join(tmpdir(), 'streamd-wire-'));
    this.socketPath = join(this.#folder, 'trainer.sock');
    const given = ['--listen', '127.0.0.1:0', '--socket', this.socketPath, '--ephemeral'];
    this.#child = new Child(binary, [...given, ...options]);
    this.#listen();
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
    const first = new URL(await daemon.listening.next());
    daemon.port = Number(first.port);
    daemon.scheme = first.protocol.slice(0, -1);
    return daemon;
  }

  /** Starts one that must not start; answers what it says to that. */
  static async refuses(...options: string[]): Promise<string> {
    const child = new Child(streamd, ['--ephemeral', '--listen', '127.0.0.1:0', ...options]);
    assert.equal(await within('the daemon to refuse', child.exited), 1, child.stderr);
    return child.stderr;
  }

  #listen(): void {
    const { stdout } = this.#child.process;
    assert(stdout);
    const lines = createInterface({ input: stdout });
    lines.on('line', (line) => {
      const found = /^listening on (https?:\/\/\S+)$/.exec(line);
      if (found?.[1]) this.listening.put(found[1]);
    });
    lines.on('close', () => this.listening.end(this.log));
  }

  get pid(): number {
    return this.#child.process.pid as number;
  }

  get url(): string {
    return `${this.scheme}://127.0.0.1:${this.port}`;
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

  /** Has it grown by less than this? A sanitizer keeps what was freed, so there it does not count. */
  grewLess(than: number, sinceBytes: number): boolean {
    const sanitized = /libasan/.test(readFileSync(`/proc/${this.pid}/maps`, 'utf8'));
    return sanitized || this.rssBytes() - sinceBytes < than;
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
