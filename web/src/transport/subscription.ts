// SPDX-License-Identifier: MIT
//
// One open run: its state, its line, and what to ask the daemon for it. Events move it while a
// socket lives. `refresh` asks for status and history: when the run is opened, when a socket comes
// (back), and each second while none does. `fill` asks for what live updates left out or rounded, since
// on the wire newest wins and only history has everything.
import type { ServerEvent } from '../proto/events';
import { drawnMetrics, pointOf, type Point } from '../proto/history';
import type { Rewind, SessionStatus } from '../proto/session';
import { Series } from '../session/series';
import { pointsOfEach } from '../session/sieve';
import { stretchOf, type Zoom } from '../session/stretch';
import {
  createSession,
  isAnotherRun,
  onEvent,
  onMissing,
  type SessionState,
} from '../session/session';
import type { Http } from './http';
import { Telling } from './telling';

/** How much a start time may be later than its first record: it is rounded to milliseconds. */
const ROUNDING_S = 0.001;

export class Subscription {
  readonly series = new Series();
  /** What the daemon makes of it. */
  readonly telling: Telling;
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
    this.telling = new Telling(id, http, onChange);
    this.#http = http;
    this.#now = now;
    this.#onChange = onChange;
  }

  get state(): SessionState {
    return this.#state;
  }

  onEvent(event: ServerEvent): void {
    const status = event.type === 'session_status' ? event.session : null;
    const another = status && this.#isAnotherHistory(status);
    const rewind = status && this.#newRewind(status);
    const isFirst = event.type === 'progress_update' && this.#state.session?.metrics === null;
    this.#state = onEvent(this.#state, event, this.#now());
    if (another) this.#startOver();
    else if (rewind) this.#goBack(rewind);
    // Which numbers are derived is told by the status, and changes with the first record.
    if (isFirst) void this.#askStatus();
    this.telling.onEvent(event, this.series.newest);
    if (event.type === 'progress_update') this.#onUpdate(event);
    else if (!status && event.type !== 'insight')
      this.#onLifecycle(event.type === 'training_completed');
    this.#onChange();
  }

  #onUpdate({ offset, metrics }: Extract<ServerEvent, { type: 'progress_update' }>): void {
    if (offset !== null) this.series.append(pointOf(offset, null, metrics));
  }

  /** What was said last is made exact at once, for nothing else will come. */
  #onLifecycle(isEnd: boolean): void {
    this.#lifecycle++;
    if (isEnd && this.series.isProvisional) void this.#load();
  }

  /** Asks for status and history; tells whether the daemon answered. */
  async refresh(): Promise<boolean> {
    const answered = await this.#askStatus();
    await Promise.all([this.#load(), this.telling.ask()]);
    return answered;
  }

  /** Asks for the status, and puts history in the place of what came live. */
  async fill(): Promise<void> {
    await this.#askStatus();
    const isNew = this.#hasNewMetrics();
    if (!isNew && !this.series.isProvisional) return;
    await this.#load(isNew);
    if (this.#zoom) await this.zoom(this.#zoom);
  }

  /** Asks for the raw points of what is in view; null: the whole run is. */
  async zoom(zoom: Zoom | null): Promise<void> {
    if (zoom !== this.#zoom) this.series.coarsen();
    this.#zoom = zoom;
    const stretch = zoom && stretchOf(this.series, zoom.axis, zoom.from, zoom.to);
    if (!stretch || this.series.newest < 0) return;
    const { first, last, steps } = stretch;
    const run = this.#run;
    const answer = await this.#http.history(this.#state.id, {
      after: first - 1,
      points: pointsOfEach(this.#fields.length),
      fields: this.#fields,
      ...(Number.isFinite(steps[0]) && { steps }),
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
    this.series.clear();
    this.telling.startOver();
    this.#forgetAnswers();
    void this.#load(true);
  }

  /** What it supersedes goes at once; of what is left, points may be missing that were not chosen. */
  #goBack({ offset, step }: Rewind): void {
    this.series.rewind(offset, step);
    void this.telling.again();
    this.#forgetAnswers();
    void this.#load(true);
  }

  /** What is under way was asked before something changed. */
  #forgetAnswers(): void {
    this.#run++;
    this.#loading = false;
  }

  async #load(whole = this.#hasNewMetrics()): Promise<void> {
    if (this.#loading) return;
    this.#loading = true;
    const run = this.#run;
    const fields = drawnMetrics(this.#state.session);
    this.#fields = fields;
    this.series.keep(fields, pointsOfEach(fields.length));
    const all = { after: -1, points: pointsOfEach(fields.length) };
    const { after, points } = whole ? all : this.series.gap;
    const answer = await this.#http.history(this.#state.id, { after, points, fields });
    if (run !== this.#run) return;
    this.#loading = false;
    if (answer.kind !== 'ok') return;
    const suits = this.series.splice(after, answer.value.filter(this.#isOfThisRun), points);
    if (!suits) return this.#load(true);
    this.#onChange();
    if (whole && this.#zoom) await this.zoom(this.#zoom);
  }

  /** Whether metrics have come that were not asked for. */
  #hasNewMetrics(): boolean {
    const known = new Set(this.#fields);
    return drawnMetrics(this.#state.session).some((name) => !known.has(name));
  }

  /** The rewind that this status is the first to tell of. */
  #newRewind({ rewind }: SessionStatus): Rewind | null {
    const { session } = this.#state;
    return session && rewind?.offset !== session.rewind?.offset ? rewind : null;
  }

  /** Another run under the id, or one of which the daemon may have lost what it had told. */
  #isAnotherHistory(session: SessionStatus): boolean {
    const epoch = this.#state.session?.epoch ?? session.epoch;
    return isAnotherRun(this.#state, session) || epoch !== session.epoch;
  }

  /** History goes back to earlier runs under the same id. */
  #isOfThisRun = ({ at }: Point): boolean => {
    const startTime = this.#state.session?.startTime ?? null;
    return at === null || startTime === null || at >= startTime - ROUNDING_S;
  };
}
