// SPDX-License-Identifier: MIT
//
// A client of Server-Sent Events, reading the format as the HTML standard has it.
import type { Daemon } from './daemon.ts';
import { Inbox } from './waiting.ts';

export interface StreamEvent {
  id: string | null;
  event: string;
  data: any;
}

export class EventStream {
  readonly events = new Inbox<StreamEvent>('an event of the stream');
  readonly comments: string[] = [];
  readonly response: Response;
  readonly #abort: AbortController;

  private constructor(response: Response, abort: AbortController) {
    this.response = response;
    this.#abort = abort;
    void this.#read();
  }

  static async open(
    daemon: Daemon,
    sessionId: string,
    headers: Record<string, string> = {},
    query = '',
  ): Promise<EventStream> {
    const abort = new AbortController();
    daemon.defer(() => abort.abort());
    const path = `/api/training/events/${sessionId}${query}`;
    const response = await daemon.fetch(path, { headers, signal: abort.signal });
    return new EventStream(response, abort);
  }

  close(): void {
    this.#abort.abort();
  }

  /** Reads on to the next event of this name. */
  async named(name: string): Promise<StreamEvent> {
    return this.events.until(({ event }) => event === name);
  }

  async #read(): Promise<void> {
    let text = '';
    try {
      const decoder = new TextDecoder();
      for await (const chunk of this.response.body ?? []) {
        text += decoder.decode(chunk as Uint8Array, { stream: true });
        const blocks = text.split('\n\n');
        text = blocks.pop() ?? '';
        blocks.forEach((block) => this.#take(block));
      }
      this.events.end('the stream ended');
    } catch (error) {
      this.events.end(String(error));
    }
  }

  #take(block: string): void {
    const fields: Record<string, string> = {};
    for (const line of block.split('\n')) {
      const [, name, value] = /^([^:]*):? ?(.*)$/.exec(line) as unknown as [string, string, string];
      if (name === '') this.comments.push(value);
      else fields[name] = name in fields ? `${fields[name]}\n${value}` : value;
    }
    const { id, event, data } = fields;
    if (data === undefined) return;
    this.events.put({ id: id ?? null, event: event ?? 'message', data: JSON.parse(data) });
  }
}
