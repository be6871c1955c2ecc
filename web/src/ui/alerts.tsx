// SPDX-License-Identifier: MIT
//
// What stands against the run, each with what was seen and what to do. One that was read can be put
// away; where it is put is the page's address, so it stays there.
import type { Severity } from '../proto/insight';
import type { Alert } from '../insight/alerts';

const SEVERITY_WORDS: Readonly<Record<Severity, string>> = {
  info: 'Note',
  warning: 'Warning',
  critical: 'Critical',
};
/** A circle, a triangle, a square on its tip: told apart without colour. */
const SHAPES: Readonly<Record<Severity, string>> = {
  info: 'M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13zM8 7v4M8 4.5v.5',
  warning: 'M8 1.5l7 12.5H1zM8 6v4M8 12v.5',
  critical: 'M8 .8L15.2 8L8 15.2L.8 8zM8 4.5v4M8 11v.5',
};

function SeverityIcon({ severity }: { readonly severity: Severity }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" fill="none" aria-hidden="true">
      <path d={SHAPES[severity]} />
    </svg>
  );
}

interface AlertsProps {
  readonly alerts: readonly Alert[];
  readonly dismissed: readonly string[];
  readonly onDismiss: (key: string) => void;
  readonly onRestore: () => void;
}

export function Alerts({ alerts, dismissed, onDismiss, onRestore }: AlertsProps) {
  const shown = alerts.filter(({ key }) => !dismissed.includes(key));
  const away = alerts.length - shown.length;
  return (
    <div data-alerts={shown.length}>
      <ul className="alerts">
        {shown.map(({ key, severity, title, evidence, action }) => (
          <li key={key} className={severity} data-alert={key}>
            <SeverityIcon severity={severity} />
            <p>
              <b>
                {SEVERITY_WORDS[severity]}: {title}
              </b>
              {evidence !== '' && <span> · {evidence}</span>}
              {action !== '' && <span className="action"> → {action}</span>}
            </p>
            <button
              aria-label={`Put away: ${title}`}
              title="Put away"
              onClick={() => {
                onDismiss(key);
              }}
            >
              ×
            </button>
          </li>
        ))}
      </ul>
      {shown.length === 0 && <span className="muted">None</span>}
      {away > 0 && (
        <button className="link" onClick={onRestore}>
          {away} put away, show
        </button>
      )}
    </div>
  );
}
