import type { Connection, ConnectionOffer } from './api.ts';

const dayMs = 86_400_000;

/** When somebody has to authorise again, as a reader counts. */
export function endText({ state, expires_at: at, kind, renews }: Connection, nowMs: number): string {
  if (state === 'disconnected' || state === 'needs_attention') return '–';
  if (at === null) return kind === 'pasted' || renews ? 'until it is revoked' : 'no end is named';
  const leftMs = Date.parse(at) - nowMs;
  if (leftMs <= 0) return 'expired';
  const days = Math.ceil(leftMs / dayMs);
  return days === 1 ? 'expires within a day' : `expires in ${days} days`;
}

/** Two weeks ahead it is worth a look. */
export function endsSoon({ state, expires_at: at }: Connection, nowMs: number): boolean {
  return state === 'connected' && at !== null && Date.parse(at) - nowMs <= 14 * dayMs;
}

const reasons: Readonly<Record<NonNullable<Connection['reason']>, string>> = {
  revoked: 'The platform does not take its token any more. What waits to be sent waits.',
  expired: 'The time for which it was authorised is over. What waits to be sent waits.',
  base_url_changed: 'Whoever runs this desk changed the address of the platform. Nothing goes out meanwhile.',
  by_hand: 'Its token is destroyed. This line goes after 30 days.',
};

export function stateOf(one: Connection): { sign: 'ok' | 'bad' | 'idle'; word: string; why?: string } {
  const why = one.reason === null ? undefined : reasons[one.reason];
  switch (one.state) {
    case 'connected':
      return one.trouble === null
        ? { sign: 'ok', word: 'connected' }
        : {
            ...{ sign: 'idle', word: 'connected' },
            why: `The last renewal failed (${one.trouble.answer}); it is tried again.`,
          };
    case 'needs_attention':
      return {
        ...{ sign: 'bad', word: one.reason === 'expired' ? 'expired, authorise again' : 'authorise again' },
        ...(why !== undefined && { why }),
      };
    case 'paused':
      return { sign: 'bad', word: 'paused', ...(why !== undefined && { why }) };
    case 'disconnected':
      return { sign: 'idle', word: 'disconnected', ...(why !== undefined && { why }) };
  }
}

/** Permissions that the platform has and this connection was not given. */
export function notGranted(
  one: Connection,
  offer: ConnectionOffer | undefined,
): NonNullable<ConnectionOffer['oauth']>['scopes'] {
  if (one.kind !== 'oauth' || one.state !== 'connected' || offer?.oauth == null) return [];
  return offer.oauth.scopes.filter(
    ({ id }) => id !== 'app' && id !== 'ads' && !one.scopes.some((scope) => scope === id || scope.endsWith(`/${id}`)),
  );
}
