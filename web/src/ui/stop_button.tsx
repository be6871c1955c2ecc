// SPDX-License-Identifier: MIT
//
// Stops a run, in two steps: who presses by mistake, or with a key too many, is asked first. What
// follows is what is known and no more: that the trainer was told, and for how long it has been.
import { useEffect, useRef, useState } from 'react';
import type { Stopping } from '../room/order';

interface StopButtonProps {
  readonly name: string;
  readonly stopping: Stopping;
  readonly onStop: () => void;
}

function Ask({ name, onYes, onNo }: { name: string; onYes: () => void; onNo: () => void }) {
  const yes = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    yes.current?.focus();
  }, []);
  return (
    <div
      className="stop ask"
      role="group"
      aria-label={`Stop ${name}?`}
      onKeyDown={(event) => {
        if (event.key === 'Escape') onNo();
      }}
    >
      <span>Stop this run?</span>
      <button ref={yes} className="danger" onClick={onYes}>
        Stop it
      </button>
      <button onClick={onNo}>Let it run</button>
    </div>
  );
}

/** What there is to say of a stop that was asked for; null: nothing. */
function words(stopping: Stopping): string | null {
  switch (stopping.kind) {
    case 'asking':
      return 'Asking the daemon …';
    case 'told':
      return `Stopping … the trainer was told ${Math.trunc(stopping.seconds)} s ago`;
    case 'agreed':
      return `Stopping … the trainer has agreed, ${Math.trunc(stopping.seconds)} s ago it was told`;
    case 'unanswered':
      return `Still running: the trainer was told ${Math.trunc(stopping.seconds)} s ago and has not answered`;
    case 'silent':
      return `Still running: the trainer was told ${Math.trunc(stopping.seconds)} s ago and has not stopped`;
    case 'refused':
      return `Not stopped: ${stopping.why}`;
    default:
      return null;
  }
}

export function StopButton({ name, stopping, onStop }: StopButtonProps) {
  const [asked, setAsked] = useState(false);
  const first = useRef<HTMLButtonElement>(null);
  const { kind } = stopping;
  if (kind === 'over') return null;
  if (asked) {
    const answer = (stop: boolean) => {
      setAsked(false);
      if (stop) onStop();
      // The button that had the focus is gone: it goes back to where it came from.
      requestAnimationFrame(() => first.current?.focus());
    };
    return (
      <Ask
        name={name}
        onYes={() => {
          answer(true);
        }}
        onNo={() => {
          answer(false);
        }}
      />
    );
  }
  const said = words(stopping);
  const busy = kind === 'asking' || kind === 'told' || kind === 'agreed';
  return (
    <div className="stop" data-stop={kind}>
      {said !== null && (
        <span className={busy ? 'muted' : 'alerted'} role={busy ? undefined : 'alert'}>
          {said}
        </span>
      )}
      <button
        ref={first}
        className="danger"
        aria-disabled={busy}
        onClick={() => {
          if (!busy) setAsked(true);
        }}
      >
        {said === null || busy ? 'Stop' : 'Stop again'}
      </button>
    </div>
  );
}
