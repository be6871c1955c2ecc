// SPDX-License-Identifier: MIT
//
// From a key to what it does. Which key means what is ui/keys.ts; what it does is the frame's.
import type { Axis } from './session/axis';
import type { Controls } from './ui/controls';
import { actionOf, type Action } from './ui/keys';
import { withNextAxis, withNextSmoothing, type View } from './ui/view';

/** What keys are pressed for. */
export interface Keyboard {
  readonly controls: Controls;
  readonly view: () => View;
  /** Opens another run of the list, so many further down. */
  readonly step: (by: number) => void;
  /** What the charts can have along the bottom. */
  readonly axes: () => readonly Axis[];
}

export function actionsOf({
  controls,
  view,
  step,
  axes,
}: Keyboard): Readonly<Record<Action, () => void>> {
  return {
    search: () => document.querySelector<HTMLElement>('.search')?.focus(),
    nextRun: () => {
      step(1);
    },
    previousRun: () => {
      step(-1);
    },
    log: () => {
      controls.change({ log: !view().log });
    },
    smoothing: () => {
      controls.change(withNextSmoothing(view()));
    },
    axis: () => {
      controls.change(withNextAxis(view(), axes()));
    },
    fullScreen: toggleFullScreen,
    theme: controls.toggleTheme,
    pause: controls.pause,
    help: controls.toggleHelp,
  };
}

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

function toggleFullScreen(): void {
  const chart = ['.chart:hover', '.chart:focus-within', '.chart']
    .map((selector) => document.querySelector(selector))
    .find((found) => found !== null);
  if (document.fullscreenElement) void document.exitFullscreen();
  else void chart?.requestFullscreen();
}
