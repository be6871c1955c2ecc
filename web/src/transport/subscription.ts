// SPDX-License-Identifier: MIT
//
// One open run: its state, its line, and what to ask the daemon for it. Events move it while a
// socket lives. `refresh` asks for status and history: when the run is opened, when a socket comes
// (back), and each second while none does. `fill` asks for what live updates left out, since on the
// wire newest wins and only history has everything.
import type { ServerEvent } from '../proto/events';
import { drawnMetrics, pointOf, type Point } from '../proto/history';
import type { SessionStatus } from '../proto/session';
import type { Axis } from '../session/axis';
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
/** What a line can show, and what all lines of a run together are worth. */
const LINE_POINTS = 1500;
const RUN_POINTS = 6000;
/** The least that is asked for, so that a slow trainer's records all arrive. */
const FEWEST_POINTS = 64;
/** A run that has grown to more than this is asked for anew, thinned. */
const MOST_POINTS = 16_000;

/** What is in view while it is not the whole run. */
export interface Zoom {
  readonly axis: Axis;
  readonly from: number;
  readonly to: number;
}

export class Subscription {
  readonly series = new Series();
  #state: SessionState;
  /** Raised when the id comes to mean another run: what was asked before is not about it. */
  #run = 0;
  /** Counts lifecycle events: an answer asked for before one may be older than it. */
  #lifecycle = 0;
  #loading = false;
  /** The metrics that the points were asked for with. */
  #fields: readonly string[] = [];
  #zoom: Zoom | null = null;
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
    const another = event.type === 'session_status' && this.#isAnotherHistory(event.session);
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
    if (this.series.hasHoles || this.#isOutgrown()) await this.#load();
  }

  /** Asks for the raw points of what is in view; null: the whole run is. */
  async zoom(zoom: Zoom | null): Promise<void> {
    this.#zoom = zoom;
    const stretch = zoom && this.series.between(zoom.axis, zoom.from, zoom.to);
    if (!stretch || this.series.newest < 0) return;
    const { first, last, steps } = stretch;
    const run = this.#run;
    const answer = await this.#http.history(this.#state.id, {
      after: first - 1,
      points: this.#linePoints(),
      fields: this.#fields,
      ...(this.series.counts && { steps }),
    });
    if (run !== this.#run || zoom !== this.#zoom || answer.kind !== 'ok') return;
    const inside = answer.value.filter(({ offset }) => offset >= first && offset <= last);
    this.series.refine(inside.filter(this.#isOfThisRun));
    this.#onChange();
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
    const whole = this.#isOutgrown();
    const after = whole ? -1 : this.series.solidTo;
    const fields = drawnMetrics(this.#state.session);
    this.#fields = fields;
    const points = this.#pointsAfter(after);
    const answer = await this.#http.history(this.#state.id, { after, points, fields });
    if (run !== this.#run) return;
    this.#loading = false;
    if (answer.kind !== 'ok') return;
    this.series.splice(after, answer.value.filter(this.#isOfThisRun));
    this.#onChange();
    if (whole && this.#zoom) await this.zoom(this.#zoom);
  }

  /** Whether there is too much of it, or metrics have come that were not asked for. */
  #isOutgrown(): boolean {
    const known = new Set(this.#fields);
    const isNew = (name: string) => !known.has(name);
    return this.series.length > MOST_POINTS || drawnMetrics(this.#state.session).some(isNew);
  }

  /** Another run under the id, or one of which the daemon may have lost what it had told. */
  #isAnotherHistory(session: SessionStatus): boolean {
    const epoch = this.#state.session?.epoch ?? session.epoch;
    return isAnotherRun(this.#state, session) || epoch !== session.epoch;
  }

  #linePoints(): number {
    const share = Math.floor(RUN_POINTS / Math.max(1, this.#fields.length));
    return Math.min(LINE_POINTS, Math.max(FEWEST_POINTS, share));
  }

  /** A piece of the line gets points by its share of it, or it would look denser than the rest. */
  #pointsAfter(after: number): number {
    const all = this.#linePoints();
    if (after < 0) return all;
    return Math.max(FEWEST_POINTS, Math.round(all * this.series.missingShare));
  }

  /** History goes back to earlier runs under the same id. */
  #isOfThisRun = ({ at }: Point): boolean => {
    const startTime = this.#state.session?.startTime ?? null;
    return at === null || startTime === null || at >= startTime - ROUNDING_S;
  };
}
