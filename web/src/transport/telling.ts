// SPDX-License-Identifier: MIT
//
// What the daemon makes of one open run: told by events, and asked for when the run is opened, when a
// socket comes back, and at each change; for where a phase begins, to the record, only the answer says.
import type { ServerEvent } from '../proto/events';
import { onInsight, onStoryEvent, untold, type Story } from '../insight/story';
import type { Http } from './http';

export class Telling {
  #story: Story = untold;
  /** Counts what makes an answer that is under way one about earlier. */
  #changes = 0;
  #asking = false;
  readonly #id: string;
  readonly #http: Http;
  readonly #onChange: () => void;

  constructor(id: string, http: Http, onChange: () => void) {
    this.#id = id;
    this.#http = http;
    this.#onChange = onChange;
  }

  get story(): Story {
    return this.#story;
  }

  /** `newest`: the offset of the newest record that is known here. */
  onEvent(event: ServerEvent, newest: number): void {
    this.#story = onStoryEvent(this.#story, event, newest);
    if (event.type === 'phase_changed' || event.type === 'alert') void this.again();
  }

  /** The run is another, or went back: what was known is not about it. */
  startOver(): void {
    this.#story = untold;
    void this.again();
  }

  /** Asks, also when an answer is under way: that one may be older. */
  async again(): Promise<void> {
    this.#changes++;
    await this.ask();
  }

  async ask(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    const before = this.#changes;
    const answer = await this.#http.insight(this.#id);
    this.#asking = false;
    if (before !== this.#changes) return this.ask();
    if (answer.kind !== 'ok') return;
    this.#story = onInsight(this.#story, answer.value);
    this.#onChange();
  }
}
