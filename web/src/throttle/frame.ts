// SPDX-License-Identifier: MIT
//
// The frame budget: however often something changes, it is rendered at most once an animation
// frame, and always once after the last change. A hidden page has no frames and renders nothing.

/** Returns the request for a render; `schedule` runs a callback before the next frame. */
export function frameBudget(
  schedule: (callback: () => void) => void,
  render: () => void,
): () => void {
  let pending = false;
  return () => {
    if (pending) return;
    pending = true;
    schedule(() => {
      pending = false;
      render();
    });
  };
}

/** After a frame the page rests so many times as long as it took, and so its thread stays free. */
const REST = 8;
/** But not longer: what is pushed must be seen at once. */
const MOST_REST_MS = 90;

/** A `schedule` that lets the page rest between frames; `clock` tells milliseconds. */
export function restful(
  schedule: (callback: () => void) => void,
  clock: () => number,
): (callback: () => void) => void {
  let due = -Infinity;
  return (callback) => {
    const attempt = () => {
      const now = clock();
      if (now < due) {
        schedule(attempt);
        return;
      }
      callback();
      const end = clock();
      due = end + Math.min(MOST_REST_MS, REST * (end - now));
    };
    schedule(attempt);
  };
}

/** Who draws in the one frame of the page. */
export class Frames {
  readonly #painters = new Set<(now: number) => void>();

  /** Returns how to be left out again. */
  add(painter: (now: number) => void): () => void {
    this.#painters.add(painter);
    return () => {
      this.#painters.delete(painter);
    };
  }

  /** `now` in milliseconds, from any beginning. */
  paint(now: number): void {
    for (const painter of [...this.#painters]) painter(now);
  }
}

/**
 * Lets what moves by itself move at most so often. What is held back is shown with the next change
 * that is let through, so somebody has to ask again later, as a client's tick does.
 */
export class Pace {
  #last = -Infinity;

  /** Whether a change at `now` (milliseconds, from any beginning) may be shown at that rate. */
  allows(now: number, perSecond: number): boolean {
    if (now - this.#last < 1000 / perSecond) return false;
    this.#last = now;
    return true;
  }
}
