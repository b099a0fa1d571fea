/** The one socket of this page: the shared client, signed in as the page is. */
import { type Client, wsClient } from '$client';
import type { Api } from './api';
import { NetworkError } from './errors';

export type { Message, Online } from '$client';

/** What a board needs of the client; tests pass a stand-in. */
export type Live = Pick<
  Client,
  'state' | 'joinProject' | 'leaveProject' | 'cursor' | 'setCursor' | 'presence' | 'typing' | 'viewing' | 'ping' | 'on'
>;

/** Close codes after which only a new sign-in helps: token not valid, signed out, token expired. */
const NEEDS_SIGN_IN = new Set([4401, 4410, 4419]);
const SIGNED_OUT = 4410;

interface Ends {
  /** Whether the session is being ended from here. */
  expected: () => boolean;
  /** The session was ended elsewhere, or the account closed. */
  onSignedOut: () => void;
}

/** The shared client, with the session's tokens. */
export function startClient(api: Api): Client {
  wsClient.configure({ url: location.origin, token: (about) => api.token(about) });
  return wsClient;
}

/** Connects again after a new sign-in where the session was over. */
export function reviveAfterSignIn(live: Live & { connect(): void }, api: Api, { expected, onSignedOut }: Ends): void {
  live.on('state', async ({ data }) => {
    if (data.state !== 'closed' || !NEEDS_SIGN_IN.has(data.code) || expected()) return;
    if (data.code === SIGNED_OUT) onSignedOut();
    try {
      if ((await api.token({ expired: true })) !== null) live.connect();
    } catch (error) {
      if (error instanceof NetworkError) live.connect();
    }
  });
}
