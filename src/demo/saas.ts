import type { DemoSite, Source, Visit } from './site.ts';

/** A planner for teams: a funnel from the first page to a subscription, and a launch. */

const name = 'Planner Example';
const pages: Readonly<Record<string, string>> = {
  '/': 'Plan the week in one look',
  '/features': 'Features',
  '/features/timeline': 'Timeline',
  '/features/capacity': 'Capacity',
  '/pricing': 'Pricing',
  '/customers': 'Who plans with it',
  '/templates': 'Templates',
  '/templates/sprint-board': 'Sprint board template',
  '/templates/editorial-calendar': 'Editorial calendar template',
  '/blog/meetings-that-end': 'Meetings that end',
  '/blog/estimates-are-ranges': 'Estimates are ranges',
  '/docs': 'Documentation',
  '/docs/import': 'Bring your plan along',
  '/docs/api': 'API',
  '/changelog': 'Changelog',
  '/security': 'Security',
  '/signup': 'Create a workspace',
  '/welcome': 'Welcome',
  '/login': 'Sign in',
};
const content = [
  '/templates/sprint-board',
  '/templates/editorial-calendar',
  '/blog/meetings-that-end',
  '/blog/estimates-are-ranges',
  '/docs/import',
  '/docs/api',
];
const plans = [
  ['Solo', 900],
  ['Solo', 900],
  ['Team', 4_900],
  ['Team', 4_900],
  ['Team', 9_800],
  ['Studio', 19_900],
] as const;

const ads = (source: string) => `utm_source=${source}&utm_medium=cpc`;
const search = (referrer: string): Source => ({
  referrers: [referrer],
  entries: ['/', '/', '/pricing', ...content, ...content],
  bounce: 0.54,
  intent: 0.8,
});

export const saas: DemoSite = {
  domain: 'planner.example',
  timezone: 'Europe/London',
  currency: 'USD',
  goals: ['Signup', 'First project', 'Subscription:USD', 'Demo video', '/pricing'],
  dropsSignals: false,
  earns: true,
  annotations: [
    { daysAgo: 38, note: 'Launch of version 2' },
    { daysAgo: 17, note: 'Sponsored issue 214 of a weekly letter' },
  ],
  visitsPerDay: 140,
  growth: 0.5,
  weekdays: [1.22, 1.28, 1.26, 1.2, 1.02, 0.48, 0.54],
  hours: [
    0.36, 0.3, 0.27, 0.27, 0.3, 0.36, 0.5, 0.85, 1.3, 1.62, 1.72, 1.66, 1.4, 1.52, 1.74, 1.72, 1.56, 1.35, 1.12, 0.98,
    0.9, 0.8, 0.62, 0.48,
  ],
  audience: {
    countries: {
      US: 30,
      GB: 20,
      DE: 9,
      IN: 8,
      FR: 5,
      NL: 4.5,
      CA: 4.5,
      PL: 3,
      ES: 3,
      SE: 2.5,
      AU: 2.5,
      BR: 2,
      IT: 2,
      IE: 1.6,
      DK: 1.4,
      PT: 1.2,
      SG: 1,
      CZ: 1,
      NO: 0.8,
      BE: 0.8,
      MX: 0.7,
    },
    mobileShare: 0.24,
    macShare: 0.45,
    linuxShare: 0.08,
    firefoxShare: 0.12,
  },
  sources: [
    [
      30,
      {
        referrers: [''],
        entries: ['/', '/', '/', '/pricing', '/login', '/login', '/changelog'],
        bounce: 0.4,
        intent: 1.2,
      },
    ],
    [26, search('https://www.google.com/')],
    [3, search('https://www.bing.com/')],
    [2.4, search('https://duckduckgo.com/')],
    [
      7,
      {
        referrers: ['https://www.google.com/'],
        queries: [
          `?${ads('google')}&utm_campaign=team-planner&utm_term=team+planner&gclid=demo`,
          `?${ads('google')}&utm_campaign=team-planner&utm_term=resource+planning&gclid=demo`,
          `?${ads('google')}&utm_campaign=brand&utm_term=planner+example&gclid=demo`,
        ],
        entries: ['/', '/', '/features/capacity', '/pricing'],
        bounce: 0.46,
        intent: 1.15,
      },
    ],
    [
      3.4,
      {
        referrers: ['https://www.linkedin.com/'],
        queries: [
          '?utm_source=linkedin&utm_medium=paid_social&utm_campaign=team-leads&utm_content=quote',
          '?utm_source=linkedin&utm_medium=paid_social&utm_campaign=team-leads&utm_content=video',
        ],
        entries: ['/', '/customers'],
        bounce: 0.6,
        intent: 0.6,
      },
    ],
    [
      2.6,
      {
        referrers: ['https://www.linkedin.com/'],
        entries: ['/', '/blog/estimates-are-ranges'],
        bounce: 0.58,
        intent: 0.7,
      },
    ],
    [
      5.2,
      {
        referrers: ['https://chatgpt.com/'],
        entries: ['/', '/features', '/pricing', '/docs/import'],
        bounce: 0.36,
        intent: 1.5,
      },
    ],
    [1.9, { referrers: ['https://claude.ai/'], entries: ['/', '/docs/api', '/pricing'], bounce: 0.36, intent: 1.5 }],
    [1.2, { referrers: ['https://www.perplexity.ai/'], entries: ['/', '/pricing'], bounce: 0.4, intent: 1.3 }],
    [2, { referrers: ['https://github.com/'], entries: ['/docs/api', '/docs'], bounce: 0.48, intent: 0.9 }],
    [
      2.4,
      {
        referrers: ['https://compare.example.com/team-planners', 'https://compare.example.com/planner-example'],
        entries: ['/', '/pricing'],
        bounce: 0.38,
        intent: 1.7,
      },
    ],
    [
      1.4,
      {
        referrers: ['https://partner.example.net/integrations'],
        entries: ['/docs/import', '/'],
        bounce: 0.42,
        intent: 1.2,
      },
    ],
    [
      1.6,
      {
        referrers: [''],
        queries: [
          '?utm_source=product-mail&utm_medium=email&utm_campaign=onboarding',
          '?utm_source=product-mail&utm_medium=email&utm_campaign=whats-new',
        ],
        entries: ['/changelog', '/docs', '/login'],
        bounce: 0.42,
        intent: 0.9,
      },
    ],
  ],
  happenings: [
    launch(38, 760, 8, ['https://www.producthunt.com/', 'https://www.producthunt.com/', ''], '?ref=producthunt', 0.9),
    launch(38, 150, 13, ['https://news.ycombinator.com/'], '', 0.8),
    launch(
      37,
      150,
      9,
      ['https://www.linkedin.com/', 'https://t.co/abc', ''],
      '?utm_source=launch&utm_medium=social&utm_campaign=launch-2',
      1,
    ),
    launch(
      17,
      100,
      10,
      ['https://weekly.example.net/issue/214'],
      '?utm_source=weekly-letter&utm_medium=email&utm_campaign=sponsorship',
      1.1,
    ),
  ],
  gap: undefined,
  robotPaths: Object.keys(pages),
  journey: saasJourney,
};

function launch(daysAgo: number, visits: number, fromHour: number, referrers: string[], query: string, intent: number) {
  return {
    daysAgo,
    days: 8,
    visits,
    fade: 0.45,
    fromHour,
    source: { referrers, queries: [query], entries: ['/', '/', '/', '/pricing'], bounce: 0.56, intent },
  };
}

function saasJourney({ walk, chance, person, source }: Visit): void {
  const intent = source.intent * (person.isMobile ? 0.5 : 1.15);
  let path = chance.one(source.entries ?? ['/']);
  if (path === '/login') {
    comeBack();
    return;
  }
  open(path);
  if (chance.is(source.bounce)) return;
  for (let left = 1 + chance.times(1.9); left > 0; left--) {
    path = next(path);
    open(path);
    if (chance.is((path === '/pricing' ? 0.13 : 0.018) * intent)) {
      signUp();
      return;
    }
  }

  function open(to: string): void {
    walk.view(to, `${pages[to] ?? to} · ${name}`);
    if (to.startsWith('/docs') || to.startsWith('/blog')) walk.read(70, 60);
    else if (to === '/pricing') walk.read(42, 74);
    else walk.read(26, 52);
    if (to === '/' && chance.is(0.07)) {
      walk.act('Demo video', { props: { part: chance.one(['start', 'start', 'half', 'end']) } });
      walk.wait(35 + chance.below(60));
    }
    if (to.startsWith('/templates/') && chance.is(0.12))
      walk.act('File Download', { props: { url: `https://planner.example/files${to}.xlsx` } });
    if (to === '/docs/api' && chance.is(0.12))
      walk.act('Outbound Link: Click', { props: { url: 'https://github.com/planner-example' } });
  }

  function next(from: string): string {
    const at = chance.next();
    if (from === '/' || from.startsWith('/features')) {
      if (at < 0.34) return '/pricing';
      if (at < 0.66) return chance.one(['/features', '/features/timeline', '/features/capacity']);
      return chance.one(['/customers', '/templates', '/docs', '/changelog', '/security']);
    }
    if (from === '/pricing') return chance.one(['/', '/features', '/security', '/customers', '/docs/import']);
    return at < 0.24 ? '/pricing' : at < 0.6 ? '/' : chance.one(['/features', '/templates', ...content]);
  }

  function signUp(): void {
    const plan = chance.one(plans)[0];
    open('/signup');
    if (chance.is(0.38)) return;
    walk.act('Signup', { props: { plan, method: chance.one(['e-mail', 'e-mail', 'Google', 'GitHub']) } });
    walk.host('app.planner.example');
    walk.view('/welcome', `${pages['/welcome']} · ${name}`);
    walk.read(60, 80);
    if (!chance.is(0.58)) return;
    walk.act('First project', {
      props: { template: chance.one(['none', 'none', 'sprint board', 'editorial calendar']) },
    });
    walk.view('/projects', `Projects · ${name}`);
    walk.read(150, 60);
  }

  function comeBack(): void {
    open('/login');
    walk.host('app.planner.example');
    for (let left = 1 + chance.times(1.6); left > 0; left--) {
      walk.view(chance.one(['/projects', '/projects', '/week', '/people']), `Projects · ${name}`);
      walk.read(110, 55);
    }
    if (!chance.is(0.07)) return;
    walk.view('/upgrade', `Choose a plan · ${name}`);
    walk.read(45, 80);
    const [plan, cents] = chance.one(plans);
    walk.act('Subscription', {
      props: { plan },
      revenue: {
        amount: (cents / 100).toFixed(2),
        currency: 'USD',
        order_id: `S${(1e9 + chance.below(9e9)).toString(36).toUpperCase()}`,
      },
    });
  }
}
