import type { Goal } from './parse.ts';
import { pick } from './random_site.ts';

/** Goals of the sites that random questions are about. */
export const randomGoals: Goal[] = [
  { name: 'Signup', kind: 'event', match: 'Signup', currency: null },
  { name: 'Purchase', kind: 'event', match: 'purchase', currency: 'EUR' },
  { name: 'Dollars', kind: 'event', match: 'purchase', currency: 'USD' },
  { name: 'Blog', kind: 'page', match: '/blog**', currency: null },
  { name: 'Post', kind: 'page', match: '/blog/*', currency: null },
  { name: 'Pro signup', kind: 'event', match: 'Signup', property: { name: 'plan', value: 'pro' }, currency: null },
  { name: 'Sold pro', kind: 'event', match: 'purchase', property: { name: 'plan', value: 'pro' }, currency: 'EUR' },
  { name: 'Read half', kind: 'scroll', match: '/blog**', scroll_depth: 50, currency: null },
  { name: 'Read to the end', kind: 'scroll', match: '/blog/*', scroll_depth: 100, currency: null },
];
export const randomZones = [
  'UTC',
  'Europe/Berlin',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'America/Sao_Paulo',
  'Pacific/Apia',
];

/** For tests only. @param filterCounts how many filters it may have, each as likely */
export const randomQuestion = (random: () => number, filterCounts = [0, 0, 1, 1, 2]) => {
  const dimensions = [
    ...(random() < 0.4 ? [pick(random, ['time:hour', 'time:day', 'time:week', 'time:month', 'time'])] : []),
    ...(random() < 0.7
      ? [
          pick(random, [
            'visit:source',
            'visit:country_name',
            'visit:country',
            'visit:device',
            'visit:utm_campaign',
            'visit:entry_page',
            'visit:exit_page',
            'visit:exit_page_hostname',
            'event:page',
            'event:page',
            'event:hostname',
            'event:name',
            'event:title',
            'event:goal',
            'event:props:plan',
          ]),
        ]
      : []),
    ...(random() < 0.15 ? ['visit:browser'] : []),
  ];
  const filters = Array.from({ length: pick(random, filterCounts) }, () => randomFilter(random, 2));
  const paged = dimensions.includes('event:page') || JSON.stringify(filters).includes('event:page');
  const metrics = [
    ...new Set(
      Array.from({ length: 1 + Math.floor(random() * 5) }, () =>
        pick(random, [
          'visitors',
          'visits',
          'pageviews',
          'events',
          'bounce_rate',
          'visit_duration',
          'views_per_visit',
          'total_revenue',
          'average_revenue',
          ...(paged ? ['scroll_depth', 'time_on_page'] : []),
        ]),
      ),
    ),
  ];
  const date_range = pick<string | [string, string]>(random, [
    ['2026-10-23', '2026-10-27'],
    ['2026-10-24', '2026-10-26'],
    ['2026-10-25', '2026-10-25'],
    ['2026-10-25T03:20:00', '2026-10-25T17:29:59'],
    ['2026-10-25T10:00:00', '2026-10-25T10:14:59'],
    'all',
    '24h',
    '3d',
  ]);
  return { site_id: 'example.com', metrics, dimensions, filters, date_range };
};

function randomFilter(random: () => number, depth: number): unknown {
  if (depth > 0 && random() < 0.25) {
    const kind = pick(random, ['and', 'or', 'not']);
    if (kind === 'not') return ['not', randomFilter(random, depth - 1)];
    return [kind, [randomFilter(random, depth - 1), randomFilter(random, depth - 1)]];
  }
  return pick<unknown>(random, [
    ['is', 'visit:source', ['Google', 'Direct / None']],
    ['is', 'visit:source', ["O'Hara"]],
    ['is', 'visit:channel', ['Direct']],
    ['is', 'visit:source', ['GOOGLE'], { case_sensitive: false }],
    ['is_not', 'visit:country', ['DE']],
    ['contains', 'visit:country_name', ['an']],
    ['is', 'visit:utm_campaign', ['(not set)']],
    ['contains', 'event:page', ['blog', "'"]],
    ['contains_not', 'event:page', ['PRIC'], { case_sensitive: false }],
    ['is', 'event:page', ['/pricing', '/']],
    ['is_not', 'event:page', ['/']],
    ['matches', 'event:page', ['^/blog/[a-z]+$']],
    ['matches_not', 'event:hostname', ['^shop']],
    ['matches_wildcard', 'event:page', ['/blog/*']],
    ['is', 'event:goal', [pick(random, randomGoals).name]],
    ['contains', 'event:goal', ['P']],
    ['is', 'event:props:plan', ['pro', '(none)']],
    ['contains', 'event:props:plan', ['ro']],
    ['is', 'event:name', ['Signup']],
    ['is', 'event:title', ['Hello']],
    ['is', 'visit:entry_page', ['/', '/blog']],
    ['is_not', 'visit:exit_page', ['/']],
  ]);
}
