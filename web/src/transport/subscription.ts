// SPDX-License-Identifier: MIT
//
// One open run: its state, its line, and what to ask the daemon for it. Events move it while a
// socket lives. `refresh` asks for status and history: when the run is opened, when a socket comes
// (back), and each second while none does. `fill` asks for what live updates left out, since on the
// wire newest wins and only history has everything.
import type { ServerEvent } from '../proto/events';
import { pointOf, type Point } from '../proto/history';
import { Series } from '../session/series';
import {
  createSession,
  isAnotherRun,
  onEvent,
  onMissing,
  type SessionState,
} from '../session/session';
import type { Http } from './http';

/** How much a start time may be later than its first record: it is rounded to milliseconds. */
const ROUNDING_S = 0.001;
/** What a line can show. */
const LINE_POINTS = 1500;
/** The least that is asked for, so that a slow trainer's records all arrive. */
const FEWEST_POINTS = 64;
/** A line that has grown to more than this is asked for anew, thinned. */
const LONG_LINE = 4 * LINE_POINTS;

export class Subscription {
  readonly series = new Series();
  #state: SessionState;
  /** Raised when the id comes to mean another run: what was asked before is not about it. */
  #run = 0;
  /** Counts lifecycle events: an answer asked for before one may be older than it. */
  #lifecycle = 0;
  #loading = false;
  readonly #http: Http;
  readonly #now: () => number;
  readonly #onChange: () => void;

  /** `now` tells epoch seconds. */
  constructor(id: string, http: Http, now: () => number, onChange: () => void) {
    this.#state = createSession(id);
    this.#http = http;
    this.#now = now;
    this.#onChange = onChange;
  }

  get state(): SessionState {
    return this.#state;
  }

  onEvent(event: ServerEvent): void {
    const another = event.type === 'session_status' && isAnotherRun(this.#state, event.session);
    const isFirst = event.type === 'progress_update' && this.#state.session?.metrics === null;
    this.#state = onEvent(this.#state, event, this.#now());
    if (another) this.#startOver();
    // Which numbers are derived is told by the status, and changes with the first record.
    if (isFirst) void this.#askStatus();
    if (event.type !== 'progress_update') {
      if (event.type !== 'session_status') this.#lifecycle++;
    } else if (event.offset !== null) {
      this.series.append(pointOf(event.offset, null, event.metrics));
    }
    this.#onChange();
  }

  /** Asks for status and history; tells whether the daemon answered. */
  async refresh(): Promise<boolean> {
    const answered = await this.#askStatus();
    await this.#load();
    return answered;
  }

  /** Asks for the status, and for the records that live updates passed over, if there are any. */
  async fill(): Promise<void> {
    await this.#askStatus();
    if (this.series.hasHoles || this.series.length > LONG_LINE) await this.#load();
  }

  async #askStatus(): Promise<boolean> {
    const { id } = this.#state;
    const before = this.#lifecycle;
    const status = await this.#http.status(id);
    if (this.#lifecycle !== before) return this.#askStatus();
    if (status.kind === 'missing') {
      this.#state = onMissing(this.#state);
      this.#onChange();
    }
    if (status.kind === 'ok') {
      this.onEvent({ type: 'session_status', sessionId: id, session: status.value });
    }
    return status.kind !== 'failed';
  }

  #startOver(): void {
    this.#run++;
    this.#loading = false;
    this.series.clear();
    void this.#load();
  }

  async #load(): Promise<void> {
    if (this.#loading) return;
    this.#loading = true;
    const run = this.#run;
    const after = this.series.length > LONG_LINE ? -1 : this.series.solidTo;
    const answer = await this.#http.history(this.#state.id, after, this.#pointsAfter(after));
    if (run !== this.#run) return;
    this.#loading = false;
    if (answer.kind !== 'ok') return;
    this.series.splice(after, answer.value.filter(this.#isOfThisRun));
    this.#onChange();
  }

  /** A piece of the line gets points by its share of it, or it would look denser than the rest. */
  #pointsAfter(after: number): number {
    if (after < 0) return LINE_POINTS;
    return Math.max(FEWEST_POINTS, Math.round(LINE_POINTS * this.series.missingShare));
  }

  /** History goes back to earlier runs under the same id. */
  #isOfThisRun = ({ at }: Point): boolean => {
    const startTime = this.#state.session?.startTime ?? null;
    return at === null || startTime === null || at >= startTime - ROUNDING_S;
  };
}
