// SPDX-License-Identifier: MIT
//
// Waiting for things that happen: on an event where there is one, else on a condition that is asked
// again. Every wait ends at a deadline and says what it waited for; nothing here sleeps a fixed time.
import { setTimeout as pause } from 'node:timers/promises';

/** Long enough for a sanitizer build on a busy machine; a test that passes never comes near it. */
const patienceMs = 15_000;

export async function within<T>(what: string, promise: Promise<T>): Promise<T> {
  const giveUp = new AbortController();
  const late = pause(patienceMs, null, { signal: giveUp.signal }).then(() => {
    throw new Error(`waited ${patienceMs} ms for ${what}`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    giveUp.abort();
    late.catch(() => {});
  }
}

/** For what no event tells: a counter of the daemon, a file, a process. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited ${patienceMs} ms for ${what}`);
    await pause(2);
  }
}

/** What has come in, in order, and a reader's place in it. */
export class Inbox<T> {
  readonly all: T[] = [];
  readonly #name: string;
  #read = 0;
  #ended: string | null = null;
  #wake: () => void = () => {};

  constructor(name: string) {
    this.#name = name;
  }

  put(item: T): void {
    this.all.push(item);
    this.#wake();
  }

  /** Nothing more will come; readers are told why. */
  end(why: string): void {
    this.#ended ??= why;
    this.#wake();
  }

  get unread(): number {
    return this.all.length - this.#read;
  }

  async next(): Promise<T> {
    return this.until(() => true);
  }

  /** Reads on to the first item that matches, which is read too. */
  async until(matches: (item: T) => boolean): Promise<T> {
    const found = this.#find(matches);
    try {
      return await within(this.#name, found);
    } catch (error) {
      const seen = JSON.stringify(this.all.slice(-8));
      throw new Error(`${(error as Error).message}; ${this.all.length} came, last ${seen}`);
    }
  }

  async take(count: number): Promise<T[]> {
    const items: T[] = [];
    while (items.length < count) items.push(await this.next());
    return items;
  }

  async #find(matches: (item: T) => boolean): Promise<T> {
    for (;;) {
      while (this.#read < this.all.length) {
        const item = this.all[this.#read++] as T;
        if (matches(item)) return item;
      }
      if (this.#ended !== null) throw new Error(`${this.#name} ended: ${this.#ended}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
