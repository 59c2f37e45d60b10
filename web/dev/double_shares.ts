import type { MadeShare, Share, ShareChange, ShareList } from '../../contract/shares.ts';

const dayMs = 86_400_000;
const day = (daysAgo: number) => new Date(Date.now() - daysAgo * dayMs).toISOString().slice(0, 10);

/** Shares of one site of the double: a busy site has one of each kind and one that has ended, the others none. */
export function openShares(domain: string) {
  let nextId = 1;
  const one = (some: Partial<Share>): Share => ({
    ...{ id: nextId++, name: 'For the board', kind: 'public', panels: ['totals', 'series', 'sources', 'pages'] },
    ...{ periods: ['28d', '7d', '90d'], hosts: [], expires_on: null, expired: false, views_30_days: 0 },
    ...{ created_at: new Date(Date.now() - 40 * dayMs).toISOString(), created_by: 'owner@shop.example' },
    ...{ link_made_at: new Date(Date.now() - 40 * dayMs).toISOString(), last_opened_on: null },
    ...some,
  });
  const shares: Share[] =
    domain === 'shop.example'
      ? [
          one({ views_30_days: 214, last_opened_on: day(0) }),
          one({
            ...{ name: 'Agency for paid search', kind: 'password', views_30_days: 31, last_opened_on: day(2) },
            ...{ panels: ['totals', 'revenue', 'channels', 'campaigns', 'goals'], expires_on: day(-60) },
          }),
          one({
            ...{ name: 'Press page', kind: 'widget', panels: ['totals', 'series'], periods: ['28d'] },
            ...{ hosts: ['www.shop.example', '*.press.example'], views_30_days: 18_402, last_opened_on: day(0) },
          }),
          one({ name: 'Spring campaign', expires_on: day(20), expired: true, last_opened_on: day(25) }),
        ]
      : [];
  const link = (kind: string) =>
    `https://desk.example/share/k2V9sJ4nQx7RmT1bYw3ZcE8uLa5HdGfP${kind === 'widget' ? '/widget' : ''}`;

  return function answer(method: string, id: string | undefined, rest: string | undefined, body: unknown) {
    const found = shares.find((share) => share.id === Number(id));
    if (method === 'DELETE') {
      shares.splice(shares.indexOf(found as Share), 1);
      return { status: 204 };
    }
    if (method === 'PATCH' && found !== undefined) {
      const { password, ...change } = body as ShareChange;
      Object.assign(found, change, { expired: false });
      if (password !== undefined) found.kind = password === null ? 'public' : 'password';
      return { status: 200, body: found satisfies Share };
    }
    if (method === 'POST' && rest === 'links')
      return { status: 201, body: { share: found as Share, link: link(found?.kind ?? '') } satisfies MadeShare };
    if (method === 'POST') {
      const made = one({ ...(body as Partial<Share>), created_at: new Date().toISOString() });
      shares.unshift(made);
      return { status: 201, body: { share: made, link: link(made.kind) } satisfies MadeShare };
    }
    return { status: 200, body: { shares, limits: { shares: 50 } } satisfies ShareList };
  };
}
