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

/** Gives the shared client the session's tokens, and connects it again after a new sign-in. */
export function startLive(api: Api): Live {
  wsClient.configure({ url: location.origin, token: (about) => api.token(about) });
  wsClient.on('state', async ({ data }) => {
    if (data.state !== 'closed' || !NEEDS_SIGN_IN.has(data.code)) return;
    try {
      if ((await api.token({ expired: true })) !== null) wsClient.connect();
    } catch (error) {
      if (error instanceof NetworkError) wsClient.connect();
    }
  });
  return wsClient;
}

/** For a board that opens; nothing happens where the connection is there already. */
export const connect = () => wsClient.connect();
export const disconnect = () => wsClient.disconnect();
