/**
 * A fresh id for a change (`op_id`). `crypto.randomUUID` exists only in secure contexts, and a self-hosted
 * board on a home network is often plain http, so the bytes are drawn directly.
 */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
