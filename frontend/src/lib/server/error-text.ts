/** A failure in the person's own language. */

import { hasMessage, t } from '../words/i18n.svelte';
import { ApiError, NetworkError } from './errors';
import { LIMITS } from './limits';

export function errorText(error: unknown): string {
  if (error instanceof NetworkError) return t('error.network');
  if (!(error instanceof ApiError)) return t('error.unknown');
  if (error.code === 'rate_limited') return t('error.rate_limited', { seconds: Math.ceil(error.retryAfter ?? 1) });
  if (error.code === 'too_large') return t('error.too_large', LIMITS);
  const key = `error.${error.code}`;
  if (hasMessage(key)) return t(key);
  return error.status >= 500 ? t('error.server') : error.message;
}

/** What the server says about one field of a form, in the person's own language. */
export function fieldError(error: unknown, field: string): string | undefined {
  if (!(error instanceof ApiError)) return undefined;
  const found = error.fields.find((other) => other.field === field || other.field.endsWith(`.${field}`));
  if (!found) return undefined;
  const key = `field_error.${found.code}`;
  return hasMessage(key) ? t(key, { limit: found.limit ?? 0 }) : found.message;
}
