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
