import type { ProfileList, ProfilePage } from '../../contract/profiles.ts';

const minute = 60_000;
const day = 86_400_000;
const ago = (ms: number) => new Date(Date.now() - ms).toISOString();

type Listed = ProfileList['profiles'][number];

const ada: Listed = {
  ...{ id: '5d0c41aa93be7f20', is_known: true, browsers: 2, events: 214, country: 'DE' },
  traits: {
    ...{ id: 'customer-1042', email: 'ada.lindqvist@mail.example', name: 'Ada Lindqvist' },
    avatar: 'https://img.example/people/ada.png',
  },
  ...{ first_seen: ago(19 * day + 90 * minute), last_seen: ago(12 * minute) },
};
const others: Listed[] = [
  {
    ...{ id: '0f3e5512ab87cd64', is_known: true, browsers: 1, events: 31, country: 'NL' },
    traits: { email: 'jo@agency.example' },
    ...{ first_seen: ago(6 * day), last_seen: ago(96 * minute) },
  },
  {
    ...{ id: '14872093345018233421', is_known: false, browsers: 1, events: 4, country: 'DE', traits: {} },
    ...{ first_seen: ago(140 * minute), last_seen: ago(118 * minute) },
  },
  {
    ...{ id: '99d1b2c3e4f50617', is_known: true, browsers: 3, events: 1_208, country: 'GB' },
    traits: {
      id: 'a-very-long-user-id-of-another-system-that-goes-on-and-on-0000000000000000000000042',
      name: 'Wolfeschlegelsteinhausenbergerdorff Maria-Magdalena of the Northern Weaving Company',
    },
    ...{ first_seen: ago(29 * day), last_seen: ago(2 * day) },
  },
  {
    ...{ id: '77aa01b2c3d4e5f6', is_known: true, browsers: 1, events: 2, country: '', traits: {} },
    ...{ first_seen: ago(9 * day), last_seen: ago(9 * day - 3 * minute) },
  },
  {
    ...{ id: '8830017263540091827', is_known: false, browsers: 1, events: 1, country: 'FR', traits: {} },
    ...{ first_seen: ago(11 * day), last_seen: ago(11 * day) },
  },
];

const nothing = {
  ...{ profile: null, is_restricted: false, browsers: [], timeline: [] },
  ...{ next: null, visit_count: 0, visits: [] },
} satisfies ProfilePage;

/** Visitors of the shop; on the small site nobody is named, and the others have memory mode. */
export function profilesOf(
  domain: string,
  id: string | undefined,
  search: string,
  before?: string,
): ProfileList | ProfilePage {
  const all =
    domain === 'shop.example'
      ? [ada, ...others]
      : domain === 'tiny.example'
        ? others.filter((one) => !one.is_known)
        : [];
  if (id !== undefined) {
    const one = all.find((of) => of.id === id);
    return one === undefined ? nothing : pageOf(one, before);
  }
  const wanted = search.toLowerCase();
  const found = search === '' ? all : all.filter(({ traits }) => [traits.email, traits.id].includes(wanted));
  return {
    profiles: found,
    next: null,
    visitors: search === '' ? found.length : null,
    restricted: domain === 'shop.example' && search === '' ? 2 : 0,
  };
}

function pageOf(profile: Listed, before?: string): ProfilePage {
  const isAda = profile.id === ada.id;
  const laptop = { browser: 'Firefox', os: 'Linux', device: 'Desktop', country: profile.country };
  const phone = { browser: 'Safari', os: 'iOS', device: 'Mobile', country: 'SE' };
  const { first_seen, last_seen, events } = profile;
  const act = (visit: number, browser: number, ms: number, pathname: string, name = 'pageview', source = '') => ({
    ...{ time: ago(ms), visit: String(visit), browser, name, pathname, source },
    ...{ hostname: 'shop.example', country: browser === 0 ? profile.country : 'SE' },
    device: browser === 0 ? 'Desktop' : 'Mobile',
  });
  const all = actsOf();
  const timeline = isAda ? (before === undefined ? all.slice(0, 10) : all.slice(10)) : all;
  return {
    profile,
    is_restricted: false,
    next: isAda && before === undefined ? '1.1' : null,
    visit_count: isAda ? 23 : 2,
    visits: [...Map.groupBy(all, ({ visit }) => visit)]
      .filter(([visit]) => timeline.some((one) => one.visit === visit))
      .map(([visit, acts]) => ({
        ...{ visit, started: acts.at(-1)?.time ?? '', ended: acts[0]?.time ?? '', events: acts.length },
      })),
    browsers: isAda
      ? [
          { ...laptop, first_seen, last_seen, events: 173, named_at: ago(2 * day - 4 * minute) },
          ...[{ ...phone, first_seen: ago(8 * day), last_seen: ago(day), events: 41, named_at: ago(8 * day - minute) }],
        ]
      : [{ ...laptop, first_seen, last_seen, events, named_at: profile.is_known ? first_seen : null }],
    timeline,
  };

  function actsOf() {
    return isAda
      ? [
          act(4, 0, 12 * minute, '/checkout/thanks', 'purchase'),
          act(4, 0, 13 * minute, '/checkout'),
          act(4, 0, 16 * minute, '/throws/wool/harbour-stripe', 'Added to cart'),
          act(4, 0, 19 * minute, '/throws/wool/harbour-stripe', 'pageview', 'Autumn letter'),
          act(3, 1, day, '/care/wool'),
          act(3, 1, day + 2 * minute, '/account', 'pageview'),
          act(2, 0, 2 * day - 5 * minute, '/account'),
          act(2, 0, 2 * day - minute, '/account/new', 'Account made'),
          act(2, 0, 2 * day, '/throws/wool/harbour-stripe'),
          act(2, 0, 2 * day + 4 * minute, '/', 'pageview', 'Google'),
          act(1, 0, 19 * day, '/journal/how-a-throw-is-woven-and-why-it-takes-eleven-days-from-fleece-to-fringe'),
        ].sort((a, b) => (a.time < b.time ? 1 : -1))
      : [act(1, 0, Date.now() - Date.parse(last_seen), '/'), act(1, 0, Date.now() - Date.parse(first_seen), '/throws')];
  }
}
