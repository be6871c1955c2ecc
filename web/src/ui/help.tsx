// SPDX-License-Identifier: MIT
//
// What the keyboard and the mouse can do here.
import { useEffect, useRef } from 'react';
import { KEYS } from './keys';

/** `onClose` may be told twice: the browser says `close` some time after the key that asked for it,
 * and the next key is the page's already. */
export function Help({ onClose }: { readonly onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} className="help" aria-label="Help" onCancel={onClose} onClose={onClose}>
      <dl>
        {KEYS.map(({ key, what }) => (
          <div key={key}>
            <dt>
              <kbd>{key === ' ' ? 'space' : key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <p className="muted small">
        Drag across a chart to zoom all of them, double-click to see everything again. In a chart
        that has the focus the arrow keys, Home and End read its points, up and down change the
        line, + and − zoom. The box before a run draws it over the others. The address of this page
        holds all that you see: send it.
      </p>
      <form method="dialog">
        <button>Close</button>
      </form>
    </dialog>
  );
}
