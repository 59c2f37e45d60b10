import { RequestError } from '../platform/http/route.ts';
import { type Provider, Trouble } from './provider.ts';

/**
 * What whoever asks is told when a platform did not do it: its code, which can be looked up, and the next step.
 * @throws whatever is no trouble of a platform
 */
export function refusalOf(error: unknown, { label }: Pick<Provider, 'label'>, next: string): RequestError {
  if (!(error instanceof Trouble)) throw error;
  switch (error.class) {
    case 'retry':
      return new RequestError(
        'provider_unavailable',
        `${label} does not answer at the moment. Try again in a minute.`,
        {
          why: error.answer,
        },
      );
    case 'rate_limited':
      return new RequestError('provider_unavailable', `${label} was asked too often. Try again in some minutes.`, {
        why: error.answer,
        headers: { 'retry-after': String(Math.ceil((error.retryAfterMs ?? 300_000) / 1000)) },
      });
    case 'auth':
    case 'config':
      if (error.isExpired)
        return new RequestError('provider_refused', `What ${label} granted has expired (${error.answer}). ${next}`, {
          why: error.answer,
        });
      return new RequestError('provider_refused', `${label} refused (${error.answer}). ${next}`, { why: error.answer });
  }
}
