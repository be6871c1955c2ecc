// SPDX-License-Identifier: MIT
//
// The token that is shown to the daemon, where it asks for one, and whether it wants another. It is
// kept for as long as the tab: sessionStorage is no other tab's, and is not sent by itself, as a
// cookie would be.

const NAME = 'streamd-token';

/** What sessionStorage is, as far as it is needed here. */
export type Keep = Pick<Storage, 'getItem' | 'setItem'>;

/** The tab's own; null where the browser gives none, as it does to a frame in another site's page. */
export function keepOfTab(): Keep | null {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}

export class Key {
  #token: string | null;
  #wanted = false;
  readonly #keep: Keep | null;
  readonly #listeners = new Set<() => void>();

  /** `keep`: where it is found and kept; null: nowhere. */
  constructor(keep: Keep | null, token: string | null = null) {
    this.#keep = keep;
    this.#token = token ?? keep?.getItem(NAME) ?? null;
  }

  get token(): string | null {
    return this.#token;
  }

  /** The daemon refused what it was shown: nothing, or a token that is not known. */
  get wanted(): boolean {
    return this.#wanted;
  }

  /** The same for a form that asks: was one refused already? Null while none is wanted. */
  get locked(): { readonly refused: boolean } | null {
    return this.#wanted ? { refused: this.#token !== null } : null;
  }

  /** Called when it is wanted, and when there is another. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  refused(): void {
    if (!this.#wanted) this.#set(this.#token, true);
  }

  readonly turn = (token: string): void => {
    this.#keep?.setItem(NAME, token);
    this.#set(token, false);
  };

  /** The page's fetch, with the token. */
  readonly fetch = async (url: URL, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers);
    const shown = this.#token;
    if (shown !== null) headers.set('Authorization', `Bearer ${shown}`);
    const response = await fetch(url, { ...init, headers });
    // An answer to the token before is no answer to this one.
    if (response.status === 401 && shown === this.#token) this.refused();
    return response;
  };

  #set(token: string | null, wanted: boolean): void {
    this.#token = token;
    this.#wanted = wanted;
    for (const listener of this.#listeners) listener();
  }
}
