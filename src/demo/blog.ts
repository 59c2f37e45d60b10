import type { DemoSite, Source, Visit } from './site.ts';

/** A blog about plants on a balcony: much read from search, now and then passed round, and mailed on Tuesdays. */

/** Slug, title, days before today on which it appeared (older than the history: none), how much it is sought. */
const posts: readonly (readonly [slug: string, title: string, daysAgo: number, sought: number])[] = [
  ['basil-on-a-windowsill', 'How to keep basil alive on a windowsill', 400, 30],
  ['yellow-leaves', 'What yellow leaves want to tell you', 390, 24],
  ['tomatoes-in-pots', 'Tomatoes in pots, week by week', 310, 18],
  ['soil-for-balconies', 'Which soil for which pot?', 280, 14],
  ['shade-balcony', 'Twelve plants for a balcony without sun', 260, 13],
  ['water-while-away', 'Watering while you are away: five ways compared', 230, 12],
  ['aphids-without-poison', 'Aphids, without poison', 210, 9],
  ['sensor-in-every-pot', 'A sensor in every pot, in 40 lines of code', 61, 6],
  ['strawberries-upright', 'Strawberries that grow upright', 180, 6],
  ['winter-herbs', 'Herbs that get through the winter', 83, 7],
  ['pots-from-scraps', 'Pots from what others throw away', 69, 3],
  ['bees-on-the-fourth-floor', 'Bees on the fourth floor', 55, 4],
  ['the-mint-took-over', 'The mint took over', 48, 4],
  ['seed-swap-list', 'A list for swapping seeds', 41, 3],
  ['one-square-metre', 'A year on one square metre', 23, 8],
  ['compost-in-a-bucket', 'Compost in a bucket, three months later', 20, 4],
  ['frost-cloth-test', 'Frost cloths, tested', 13, 5],
  ['what-i-got-wrong', 'What I got wrong this year', 6, 3],
];
const blogName = 'Notes Example';
const pathOf = ([slug]: (typeof posts)[number]) => `/posts/${slug}`;
const evergreen = posts.flatMap((post) => Array<string>(Math.ceil(post[3] / 3)).fill(pathOf(post)));
const newest = posts.slice(-4).map(pathOf);

const search = (referrer: string): Source => ({ referrers: [referrer], entries: evergreen, bounce: 0.74, intent: 0.7 });

export const blog: DemoSite = {
  domain: 'notes.example',
  timezone: 'America/New_York',
  currency: 'USD',
  goals: ['Newsletter signup', 'Outbound Link: Click', 'File Download', '/posts/**'],
  dropsSignals: true,
  earns: false,
  annotations: [
    { daysAgo: 61, note: '“A sensor in every pot” is passed round' },
    { daysAgo: 23, note: '“One square metre” is passed round' },
  ],
  visitsPerDay: 170,
  growth: 0.42,
  weekdays: [0.98, 1.02, 0.98, 0.95, 0.9, 1.02, 1.15],
  hours: [
    0.5, 0.36, 0.3, 0.28, 0.32, 0.45, 0.7, 0.95, 1.15, 1.25, 1.3, 1.3, 1.32, 1.25, 1.2, 1.2, 1.22, 1.25, 1.35, 1.5, 1.6,
    1.5, 1.15, 0.77,
  ],
  audience: {
    countries: {
      US: 46,
      GB: 13,
      CA: 9,
      AU: 6,
      DE: 5,
      IN: 5,
      NL: 2.5,
      IE: 2,
      FR: 2,
      SE: 1.5,
      NZ: 1.5,
      ZA: 1,
      PL: 1,
      BR: 1,
      ES: 1,
      NO: 0.8,
      SG: 0.7,
      JP: 0.5,
      FI: 0.5,
    },
    mobileShare: 0.55,
    macShare: 0.34,
    linuxShare: 0.05,
    firefoxShare: 0.17,
  },
  sources: [
    [17, { referrers: [''], entries: ['/', '/', '/', ...newest], bounce: 0.55, intent: 1.6 }],
    [44, search('https://www.google.com/')],
    [5, search('https://duckduckgo.com/')],
    [5, search('https://www.bing.com/')],
    [1.6, search('https://search.brave.com/')],
    [5, { referrers: ['https://www.pinterest.com/'], entries: evergreen.slice(0, 30), bounce: 0.78, intent: 0.4 }],
    [2.4, { referrers: ['https://www.reddit.com/'], entries: evergreen, bounce: 0.76, intent: 0.6 }],
    [3.4, { referrers: ['https://chatgpt.com/'], entries: evergreen, bounce: 0.68, intent: 0.8 }],
    [1.2, { referrers: ['https://www.perplexity.ai/'], entries: evergreen, bounce: 0.68, intent: 0.8 }],
    [0.9, { referrers: ['https://claude.ai/'], entries: evergreen, bounce: 0.66, intent: 0.8 }],
    [1.6, { referrers: ['https://bsky.app/', 'https://mastodon.social/'], entries: newest, bounce: 0.66, intent: 1.1 }],
    [
      2.2,
      {
        referrers: ['https://small-gardens.example.org/blogroll', 'https://small-gardens.example.org/2026/links'],
        entries: ['/', ...newest],
        bounce: 0.5,
        intent: 1.5,
      },
    ],
    [1.4, { referrers: ['https://weekly.example.net/'], entries: newest, bounce: 0.6, intent: 1.1 }],
  ],
  happenings: [
    ...[2, 9, 16, 23, 30, 37, 44, 51, 58, 65, 72, 79, 86].map((daysAgo, i) => ({
      daysAgo,
      days: 3,
      visits: 40 - i,
      fade: 0.34,
      fromHour: 7,
      source: {
        referrers: [''],
        queries: [`?utm_source=newsletter&utm_medium=email&utm_campaign=issue-${88 - i}`],
        entries: newest,
        bounce: 0.48,
        intent: 0.5,
      },
    })),
    passedRound(61, 620, 10, ['https://news.ycombinator.com/'], '/posts/sensor-in-every-pot'),
    passedRound(60, 90, 11, ['https://lobste.rs/', ''], '/posts/sensor-in-every-pot'),
    passedRound(48, 260, 15, ['https://www.reddit.com/', 'https://out.reddit.com/'], '/posts/the-mint-took-over'),
    passedRound(23, 480, 9, ['https://news.ycombinator.com/', '', 'https://bsky.app/'], '/posts/one-square-metre'),
  ],
  gap: undefined,
  robotPaths: ['/', ...posts.map(pathOf), '/feed.xml'],
  journey: blogJourney,
};

function passedRound(daysAgo: number, visits: number, fromHour: number, referrers: string[], entry: string) {
  return {
    daysAgo,
    days: 6,
    visits,
    fade: 0.36,
    fromHour,
    source: { referrers, entries: [entry], bounce: 0.8, intent: 0.55 },
  };
}

function blogJourney({ walk, chance, source, daysAgo }: Visit): void {
  const there = posts.filter((post) => post[2] >= daysAgo);
  const entry = chance.one(source.entries ?? ['/']);
  // Nobody reads what is not written yet: then it was the newest of that day.
  const isThere = !entry.startsWith('/posts/') || there.some((post) => pathOf(post) === entry);
  let path = isThere ? entry : pathOf(there.at(-1) ?? (posts[0] as (typeof posts)[number]));
  open(path);
  if (chance.is(source.bounce)) return;
  for (let left = 1 + chance.times(0.9); left > 0; left--) {
    const before = path;
    path =
      path === '/'
        ? pathOf(chance.one(there.slice(-6)))
        : chance.is(0.3)
          ? '/'
          : chance.one(['/about', '/archive', ...there.map(pathOf)]);
    if (path !== before) open(path);
  }

  function open(to: string): void {
    const post = posts.find((one) => pathOf(one) === to);
    walk.view(to, post === undefined ? titleOf(to) : `${post[1]} · ${blogName}`);
    if (post === undefined) walk.read(16, 60);
    else walk.read(82, 64);
    if (post === undefined) return;
    if (chance.is(0.016 * source.intent)) walk.act('Newsletter signup', { props: { place: 'end of post' } });
    if (chance.is(0.035))
      walk.act('Outbound Link: Click', {
        props: {
          url: chance.one([
            'https://en.wikipedia.org/wiki/Basil',
            'https://seeds.example.com/herbs',
            'https://github.com/',
            'https://seeds.example.com/tomatoes',
          ]),
        },
      });
    if (to.endsWith('seed-swap-list') ? chance.is(0.3) : chance.is(0.008))
      walk.act('File Download', {
        props: {
          url: `https://notes.example/files/${to.endsWith('seed-swap-list') ? 'seed-list.pdf' : 'sowing-calendar.pdf'}`,
        },
      });
  }
}

function titleOf(path: string): string {
  return { '/': blogName, '/about': `About · ${blogName}`, '/archive': `All posts · ${blogName}` }[path] ?? blogName;
}
