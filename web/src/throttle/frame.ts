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
