// SPDX-License-Identifier: MIT
//
// A stop, whoever asked for it and wherever, until the run is over. Being told is not having
// stopped: only the run's own end is, and a trainer that does not come to it is reported.
import { isOver, type SessionStatus } from '../proto/session';

/** Seconds a trainer that was told to stop may take before the page says that it has not. */
export const DEADLINE_S = 20;

/** What has become of a request of this page; `at` in epoch seconds. */
export type Order =
  | { readonly kind: 'asking' }
  | { readonly kind: 'told'; readonly at: number }
  | { readonly kind: 'refused'; readonly why: string };

export type Stopping =
  | { readonly kind: 'none' | 'over' | 'asking' }
  | { readonly kind: 'told' | 'agreed' | 'silent' | 'unanswered'; readonly seconds: number }
  | { readonly kind: 'refused'; readonly why: string };

/** As the daemon tells of it; null: it tells of none. */
function toldOf({ stop }: SessionStatus, now: number): Stopping | null {
  if (!stop) return null;
  const seconds = Math.max(0, now - (stop.askedAt ?? now));
  switch (stop.state) {
    case 'told':
      return { kind: seconds < DEADLINE_S ? 'told' : 'silent', seconds };
    case 'accepted':
      return { kind: 'agreed', seconds };
    case 'unanswered':
      return { kind: 'unanswered', seconds };
    case 'refused':
      return { kind: 'refused', why: stop.answer };
    default:
      return null;
  }
}

/** How a stop stands; `order` undefined: nobody asked here. `now` in epoch seconds. */
export function stoppingOf(
  session: SessionStatus,
  order: Order | undefined,
  now: number,
): Stopping {
  if (isOver(session.status)) return { kind: 'over' };
  if (order && order.kind !== 'told') return order;
  const told = toldOf(session, now);
  if (told) return told;
  if (!order) return { kind: 'none' };
  const seconds = Math.max(0, now - order.at);
  return { kind: seconds < DEADLINE_S ? 'told' : 'silent', seconds };
}
