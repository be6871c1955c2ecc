// SPDX-License-Identifier: MIT
//
// A stop that somebody asked for on this page, until the run is over. Being told is not having
// stopped: only the run's own end is, and a trainer that does not come to it is reported.
import { isOver, type SessionStatus } from '../proto/session';

/** Seconds a trainer that was told to stop may take before the page says that it has not. */
export const DEADLINE_S = 20;

/** What has become of the request; `at` in epoch seconds. */
export type Order =
  | { readonly kind: 'asking' }
  | { readonly kind: 'told'; readonly at: number }
  | { readonly kind: 'refused'; readonly why: string };

export type Stopping =
  | { readonly kind: 'none' | 'over' | 'asking' }
  | { readonly kind: 'told' | 'silent'; readonly seconds: number }
  | { readonly kind: 'refused'; readonly why: string };

/** How a stop stands; `order` undefined: nobody asked. `now` in epoch seconds. */
export function stoppingOf(
  session: SessionStatus,
  order: Order | undefined,
  now: number,
): Stopping {
  if (isOver(session.status)) return { kind: 'over' };
  if (!order) return { kind: 'none' };
  if (order.kind !== 'told') return order;
  const seconds = Math.max(0, now - order.at);
  return { kind: seconds < DEADLINE_S ? 'told' : 'silent', seconds };
}
