// SPDX-License-Identifier: MIT
//
// For those who listen: says when the phase or the alerts of the open run change, and nothing else.
// Numbers that move ten times a second are not for a voice.
import { announcement } from '../insight/alerts';
import type { Verdict } from '../proto/insight';
import type { SessionStatus } from '../proto/session';
import { nameOf } from './names';

interface AnnouncerProps {
  readonly session: SessionStatus | null;
  readonly verdict: Verdict | null;
  readonly now: number;
}

export function Announcer({ session, verdict, now }: AnnouncerProps) {
  return (
    <p className="unseen" role="status" aria-live="polite" data-announced>
      {session && `${nameOf(session)}: ${announcement(session, verdict, now)}`}
    </p>
  );
}
