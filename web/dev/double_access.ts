import type { AccessReviewAnswer, AccessReviews } from '../../contract/access_review.ts';

const dayMs = 86_400_000;
const ago = (days: number) => new Date(Date.now() - days * dayMs).toISOString();
const day = (days: number) => ago(days).slice(0, 10);

type Line = AccessReviewAnswer['lines'][number];
const ana = { id: 1, name: 'Ana Lind' };
const line = (kind: Line['kind'], id: number, label: string, gives: string, more: Partial<Line> = {}): Line => ({
  ...{ kind, id, label, gives, since: day(200), confirmed: null, has_changed: false, may_remove: true, ...more },
});
const confirmed = { by: ana, at: ago(3) };

const lines: Line[] = [
  line('member', 1, 'Ana Lind, ana@cedar-loom.example', 'owner', { last_used: day(0), confirmed }),
  line('member', 2, 'Kim Okafor, kim@cedar-loom.example', 'analyst', { last_used: day(1), confirmed }),
  line('member', 3, 'temp@agency.example', 'admin', { last_used: day(140), has_changed: true }),
  line('member', 4, 'Lena Maurer, lena@cedar-loom.example', 'Shop desk, sites of their teams', { last_used: null }),
  line('role', 3, 'Shop desk', 'stats.read site.read organisation.read goal.manage'),
  line('key', 8, 'Till of the shop (…x4Fq)', 'events:write, one site, without an end', { last_used: day(0) }),
  line('key', 5, 'Old dashboard (…9bTz)', 'stats:read stats:export, every site, without an end', {
    last_used: day(311),
  }),
  line(
    'share',
    6,
    'For the board (cedar-loom.example)',
    'whoever has the link, totals series pages, until 2026-12-31',
    {
      last_used: day(12),
    },
  ),
  line('source', 3, 'WooCommerce orders', 'whoever has its address, signed as woocommerce', { last_used: day(0) }),
  line('source', 4, 'Old tracker', 'whoever has its address', { last_used: null }),
  line('connection', 2, 'Cedar & Loom Ads (google)', 'an account there, datamanager adwords'),
];

const review = {
  ...{ id: 4, quarter: '2026-Q4', opened_at: ago(20), due_on: day(-10), done_at: null },
  ...{ state: 'open' as const, confirmed: 2, removed: 1 },
};
const earlier: AccessReviews['reviews'] = [
  { ...review, id: 3, quarter: '2026-Q3', state: 'done', done_at: ago(110), confirmed: 9, removed: 2 },
  { ...review, id: 2, quarter: '2026-Q2', state: 'missed', confirmed: 0, removed: 0 },
];
const decisions: AccessReviewAnswer['decisions'] = [
  {
    id: 9,
    kind: 'member',
    of: 2,
    label: 'Kim Okafor, kim@cedar-loom.example',
    gives: 'analyst',
    decision: 'confirmed',
    by: ana,
    at: ago(3),
  },
  {
    id: 8,
    kind: 'member',
    of: 1,
    label: 'Ana Lind, ana@cedar-loom.example',
    gives: 'owner',
    decision: 'confirmed',
    by: ana,
    at: ago(3),
  },
  {
    id: 7,
    kind: 'key',
    of: 2,
    label: 'Test of a report (…k0Qd)',
    gives: 'stats:read, every site, without an end',
    decision: 'removed',
    by: ana,
    at: ago(4),
  },
];

/** The review of access of a small team, begun and not done. */
export function accessOf(path: string, isNew: boolean): object | undefined {
  const [, rest] = /^\/api\/organisations\/[^/]+\/access-reviews(\/.*)?$/.exec(path) ?? [undefined, undefined];
  if (!/\/access-reviews(\/|$)/.test(path)) return undefined;
  if (rest === undefined)
    return { reviews: isNew ? [] : [review, ...earlier], quarter: '2026-Q4', next_on: '2027-01-01' };
  if (rest === '/4') return { review, lines, decisions };
  return { review: earlier[0], lines: [], decisions };
}
