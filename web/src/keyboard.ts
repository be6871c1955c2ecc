// SPDX-License-Identifier: MIT
//
// From a key to what it does. Which key means what is ui/keys.ts; what it does is the frame's.
import { actionOf, type Action } from './ui/keys';

/** `isHelpOpen`: then only the key that closes it is obeyed. */
export function listenForKeys(
  actions: Readonly<Record<Action, () => void>>,
  isHelpOpen: () => boolean,
): void {
  addEventListener('keydown', (event) => {
    const focus = document.activeElement;
    const { key, ctrlKey, metaKey, altKey } = event;
    if (key === 'Escape' && focus instanceof HTMLInputElement) focus.blur();
    const action = actionOf({ key, ctrlKey, metaKey, altKey, focus: focus?.tagName ?? '' });
    if (!action || (isHelpOpen() && action !== 'help')) return;
    event.preventDefault();
    actions[action]();
  });
}

export function toggleFullScreen(): void {
  const chart = ['.chart:hover', '.chart:focus-within', '.chart']
    .map((selector) => document.querySelector(selector))
    .find((found) => found !== null);
  if (document.fullscreenElement) void document.exitFullscreen();
  else void chart?.requestFullscreen();
}
