// SPDX-License-Identifier: MIT
//
// What stands in the place of the runs while the daemon wants a token.
import { useState } from 'react';

interface TokenFormProps {
  /** One was shown already, and is not known. */
  readonly refused: boolean;
  readonly onToken: (token: string) => void;
}

export function TokenForm({ refused, onToken }: TokenFormProps) {
  const [token, setToken] = useState('');
  return (
    <form
      className="token-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (token.trim() !== '') onToken(token.trim());
        setToken('');
      }}
    >
      <h2>This daemon asks for a token</h2>
      {refused && (
        <p className="alerted" role="alert">
          The last one is not known, or may not read.
        </p>
      )}
      <label htmlFor="token">Token</label>
      <input
        id="token"
        type="password"
        autoComplete="off"
        spellCheck={false}
        placeholder="st_…"
        value={token}
        onChange={(event) => {
          setToken(event.target.value);
        }}
      />
      <button type="submit">Open</button>
      <p className="muted">
        Whoever runs the daemon makes one: <code>streamd token NAME --scope read</code>. It is kept
        until this tab is closed.
      </p>
    </form>
  );
}
