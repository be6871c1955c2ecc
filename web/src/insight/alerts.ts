// SPDX-License-Identifier: MIT
//
// What stands against a run: what the daemon found, the advice to stop, and what is plain to see. Which
// of them stands, how sure it is and what to do about it came over the wire.
import { age, formatMetric, shortDuration } from '../proto/format';
import type { Finding, Severity, Verdict } from '../proto/insight';
import { isOver, type SessionStatus } from '../proto/session';
import { phaseLabel, sentenceCase } from './phases';
import { placeText } from './verdict_words';
import { statusWords } from './wording';

export interface Alert {
  /** The same as long as it is the same alert, also after a reload. */
  readonly key: string;
  readonly severity: Severity;
  /** Without a number that moves by itself: it is also said aloud. */
  readonly title: string;
  readonly evidence: string;
  /** What to do about it; empty when nobody said. */
  readonly action: string;
}

/** More than there are kinds. */
const MOST_ALERTS = 12;
/** A running trainer that says nothing for so long, in seconds, is worth a word. */
const SILENT_S = 60;

function plain(kind: string, severity: Severity, title: string, evidence = ''): Alert {
  return { key: `${kind}@`, severity, title, evidence, action: '' };
}

/** What is plainly wrong, or might be, whoever interprets the run. */
function plainAlerts(run: SessionStatus, found: ReadonlySet<string>, now: number): Alert[] {
  const loss = run.metrics?.named.loss;
  const silence = run.lastUpdate === null ? 0 : now - run.lastUpdate;
  const isBroken = loss !== undefined && !Number.isFinite(loss) && !found.has('divergence');
  const isSilent = run.status === 'running' && silence > SILENT_S && !found.has('stall');
  const newest = `newest point ${age(silence)}`;
  return [
    ...(run.status === 'failed'
      ? [plain('failed', 'critical', run.error || 'The run failed')]
      : []),
    ...(isBroken ? [plain('loss', 'critical', 'The last loss is no finite number')] : []),
    ...(isSilent ? [plain('silence', 'warning', 'Nothing heard from the trainer', newest)] : []),
  ];
}

function findingAlert({ kind, severity, evidence, action, sinceStep }: Finding): Alert {
  const key = `${kind}@${sinceStep ?? ''}`;
  return { key, severity, title: sentenceCase(kind), evidence, action };
}

/** The advice to stop, with what is won by it and what there is to use then. */
function stopAlert({ stop, best, monitor }: Verdict): Alert {
  const saving = stop.savingSeconds;
  const wins = saving === null || saving < 1 ? '' : `, saves ${shortDuration(saving)}`;
  const place = best && placeText(best);
  const value = best && `${monitor} ${formatMetric('loss', best.value)}`;
  const uses = place && value ? `, and use the checkpoint of ${place} (${value})` : '';
  return {
    key: `stop@${best?.step ?? ''}`,
    severity: 'warning',
    title: 'Stopping is advised',
    evidence: stop.why,
    action: `stop${wins}${uses}`,
  };
}

/** All of them: what is plain, the advice to stop, then what was found last. `now` in epoch seconds. */
export function alertsOf(run: SessionStatus, verdict: Verdict | null, now: number): Alert[] {
  const findings = verdict?.findings ?? [];
  const since = ({ sinceStep }: Finding) => sinceStep ?? -1;
  const newestFirst = [...findings].sort((a, b) => since(b) - since(a));
  const isAdvised = verdict !== null && verdict.stop.recommend && !isOver(run.status);
  return [
    ...plainAlerts(run, new Set(findings.map(({ kind }) => kind)), now),
    ...(isAdvised ? [stopAlert(verdict)] : []),
    ...newestFirst.map(findingAlert),
  ].slice(0, MOST_ALERTS);
}

/** The phase and the alerts without a number that moves: said aloud, and only when it changes. */
export function announcement(run: SessionStatus, verdict: Verdict | null, now: number): string {
  const phase = run.phase === '' ? [] : [phaseLabel(run.phase).text];
  const titles = alertsOf(run, verdict, now).map(({ title }) => title);
  return [statusWords(run.status).text, ...phase, ...titles].join('. ');
}
