import type { DemoSite, Source, Visit } from './site.ts';

/** A shop for teaware: purchases with order ids, paid search, mail to customers, a restock. */

const collections = [
  ['teapots', 'Teapots'],
  ['cups', 'Cups and bowls'],
  ['loose-tea', 'Loose tea'],
  ['tins', 'Tins and jars'],
  ['gifts', 'Gift sets'],
] as const;
type Collection = (typeof collections)[number][0];

/** Path, title, price in cents; those further up are looked at more. */
const products: readonly (readonly [Collection, slug: string, title: string, cents: number])[] = [
  ['teapots', 'stoneware-teapot-08', 'Stoneware teapot 0.8 l', 4_900],
  ['loose-tea', 'morning-assam-250', 'Morning Assam 250 g', 1_490],
  ['gifts', 'first-pot-set', 'First pot set', 6_900],
  ['cups', 'double-wall-cup', 'Double wall cup, pair', 2_450],
  ['teapots', 'glass-teapot-12', 'Glass teapot 1.2 l', 3_900],
  ['loose-tea', 'sencha-fields-100', 'Sencha Fields 100 g', 1_290],
  ['cups', 'speckled-bowl', 'Speckled bowl', 1_850],
  ['tins', 'tall-tea-tin', 'Tall tea tin', 1_190],
  ['teapots', 'cast-iron-teapot', 'Cast iron teapot', 8_900],
  ['loose-tea', 'smoky-pine-100', 'Smoky Pine 100 g', 1_390],
  ['gifts', 'six-teas-box', 'Six teas in a box', 3_200],
  ['cups', 'travel-tumbler', 'Travel tumbler 0.4 l', 2_990],
  ['tins', 'labelled-jars', 'Labelled jars, set of 4', 2_690],
  ['loose-tea', 'rooibos-orange-100', 'Rooibos Orange 100 g', 990],
  ['gifts', 'slow-sunday-set', 'Slow Sunday set', 5_400],
  ['teapots', 'enamel-camp-pot', 'Enamel camp pot', 3_400],
  ['cups', 'thimble-cup', 'Thimble cup', 950],
  ['tins', 'matcha-caddy', 'Matcha caddy', 1_650],
];
const guides = [
  ['/guides/how-hot-for-which-tea', 'How hot for which tea?'],
  ['/guides/clean-a-cast-iron-pot', 'How to clean a cast iron pot'],
  ['/guides/loose-tea-or-bags', 'Loose tea or bags?'],
] as const;
const shopName = 'Shop Example';
const freeShippingCents = 5_000;
const shippingCents = 490;

const home = ['/', '/', '/', '/collections/teapots', '/collections/gifts'];
const mail = 'utm_medium=email&utm_source=newsletter';
const ads = 'utm_source=google&utm_medium=cpc';
const direct: Source = { referrers: [''], entries: home, bounce: 0.34, intent: 1.35 };
const search = (referrer: string): Source => ({
  referrers: [referrer],
  entries: [
    '/',
    '/collections/teapots',
    '/collections/loose-tea',
    ...products.slice(0, 8).map(pathOf),
    ...guides.map(([path]) => path),
    ...guides.map(([path]) => path),
  ],
  bounce: 0.46,
  intent: 0.95,
});
const social = (referrers: string[], queries: string[] = ['']): Source => ({
  referrers,
  queries,
  entries: ['/', ...products.slice(0, 6).map(pathOf), '/collections/gifts'],
  bounce: 0.58,
  intent: 0.4,
});

export const shop: DemoSite = {
  domain: 'shop.example',
  timezone: 'Europe/Berlin',
  currency: 'EUR',
  goals: ['purchase:EUR', 'Add to cart', 'Checkout started', 'Newsletter signup', '/guides/**'],
  dropsSignals: false,
  earns: true,
  annotations: [
    { daysAgo: 52, note: 'Cast iron teapot is in stock again' },
    { daysAgo: 31, note: 'Campaign Slow Sundays begins' },
    { daysAgo: 12, note: 'Snippet was missing from 9 to 16 h after a change of the theme' },
  ],
  visitsPerDay: 230,
  growth: 0.3,
  weekdays: [1.02, 0.95, 0.94, 1.0, 0.92, 0.97, 1.2],
  hours: [
    0.28, 0.15, 0.1, 0.08, 0.1, 0.22, 0.5, 0.78, 0.95, 1.1, 1.18, 1.2, 1.28, 1.22, 1.12, 1.1, 1.15, 1.3, 1.5, 1.85, 2.1,
    2.0, 1.4, 0.7,
  ],
  audience: {
    countries: {
      DE: 58,
      AT: 12,
      CH: 9,
      NL: 5,
      FR: 4,
      BE: 2,
      DK: 2,
      IT: 2,
      PL: 2,
      GB: 1.5,
      SE: 1,
      ES: 1,
      US: 1,
      CZ: 0.5,
    },
    mobileShare: 0.64,
    macShare: 0.24,
    linuxShare: 0.02,
    firefoxShare: 0.15,
  },
  sources: [
    [27, direct],
    [25, search('https://www.google.com/')],
    [5, search('https://www.google.de/')],
    [3.4, search('https://www.bing.com/')],
    [2.6, search('https://duckduckgo.com/')],
    [1.4, search('https://www.ecosia.org/')],
    [
      8,
      {
        referrers: ['https://www.google.com/'],
        queries: [
          `?${ads}&utm_campaign=brand&utm_term=shop+example&gclid=demo`,
          `?${ads}&utm_campaign=teapots&utm_term=stoneware+teapot&utm_content=pot-photo&gclid=demo`,
          `?${ads}&utm_campaign=teapots&utm_term=cast+iron+teapot&utm_content=pot-text&gclid=demo`,
          `?${ads}&utm_campaign=gifts&utm_term=gift+for+tea+lovers&utm_content=gift-text&gclid=demo`,
        ],
        entries: ['/', '/collections/teapots', '/products/stoneware-teapot-08', '/collections/gifts'],
        bounce: 0.4,
        intent: 1.45,
      },
    ],
    [6, social(['https://www.instagram.com/', 'https://l.instagram.com/'])],
    [3.5, social(['https://www.pinterest.com/', 'https://www.pinterest.de/'])],
    [1.8, social(['https://m.facebook.com/', 'https://l.facebook.com/'])],
    [1.2, social(['https://www.youtube.com/'])],
    [
      2.1,
      {
        referrers: ['https://chatgpt.com/'],
        entries: [...guides.map(([path]) => path), '/collections/teapots'],
        bounce: 0.36,
        intent: 1.2,
      },
    ],
    [
      0.7,
      { referrers: ['https://www.perplexity.ai/'], entries: guides.map(([path]) => path), bounce: 0.4, intent: 1.1 },
    ],
    [0.5, { referrers: ['https://copilot.microsoft.com/', 'https://gemini.google.com/'], bounce: 0.4, intent: 1 }],
    [
      2.2,
      {
        referrers: ['https://tea-notes.example.org/best-teapots', 'https://tea-notes.example.org/links'],
        entries: ['/products/stoneware-teapot-08', '/collections/teapots'],
        bounce: 0.38,
        intent: 1.5,
      },
    ],
    [
      1.2,
      {
        referrers: ['https://forum.example.net/kitchen/which-teapot'],
        entries: ['/products/glass-teapot-12', '/'],
        bounce: 0.42,
        intent: 1.1,
      },
    ],
    [
      0.8,
      {
        referrers: ['https://coupons.example.com/shop-example'],
        queries: ['?utm_source=coupons&utm_medium=affiliate&utm_campaign=partners'],
        entries: ['/'],
        bounce: 0.44,
        intent: 1.3,
      },
    ],
  ],
  happenings: [
    ...[4, 11, 18, 25, 32, 39, 46, 53, 60, 67, 74, 81].map((daysAgo, i) => ({
      daysAgo,
      days: 3,
      visits: 46 - i,
      fade: 0.3,
      fromHour: 9,
      source: {
        referrers: [''],
        queries: [
          `?${mail}&utm_campaign=letter-${40 - i}&utm_content=top`,
          `?${mail}&utm_campaign=letter-${40 - i}&utm_content=picture`,
        ],
        entries: ['/collections/loose-tea', '/products/six-teas-box', '/'],
        bounce: 0.3,
        intent: 1.9,
      },
    })),
    {
      daysAgo: 31,
      days: 17,
      visits: 48,
      fade: 0.97,
      fromHour: 7,
      source: social(
        ['https://www.instagram.com/', 'https://l.instagram.com/'],
        [
          '?utm_source=instagram&utm_medium=paid_social&utm_campaign=slow-sundays&utm_content=video',
          '?utm_source=instagram&utm_medium=paid_social&utm_campaign=slow-sundays&utm_content=carousel',
        ],
      ),
    },
    {
      daysAgo: 52,
      days: 5,
      visits: 290,
      fade: 0.42,
      fromHour: 18,
      source: {
        referrers: ['', 'https://www.instagram.com/'],
        queries: ['?utm_source=newsletter&utm_medium=email&utm_campaign=cast-iron-restock'],
        entries: ['/products/cast-iron-teapot'],
        bounce: 0.33,
        intent: 2.1,
      },
    },
  ],
  gap: { daysAgo: 12, fromHour: 9, toHour: 16 },
  robotPaths: ['/', '/collections/teapots', ...products.map(pathOf), '/robots.txt', '/sitemap.xml'],
  journey: shopJourney,
};

function shopJourney({ walk, chance, person, source }: Visit): void {
  const intent = source.intent * (person.isMobile ? 0.72 : 1.4);
  let path = chance.one(source.entries ?? home);
  const looked = new Set<string>();
  open(path);
  if (chance.is(source.bounce)) return;
  let left = 1 + chance.times(2.4);
  while (left-- > 0) {
    path = next(path);
    open(path);
    if (path.startsWith('/products/') && chance.is(0.085 * intent)) {
      checkOut(path);
      return;
    }
  }
  if (chance.is(0.011)) walk.act('Newsletter signup', { props: { place: 'footer' } });
  if (chance.is(0.006)) walk.act('Outbound Link: Click', { props: { url: 'https://www.instagram.com/shop.example' } });

  function open(to: string): void {
    walk.view(to, titleOf(to));
    looked.add(to);
    if (to.startsWith('/guides/')) walk.read(75, 66);
    else if (to.startsWith('/products/')) walk.read(38, 58);
    else walk.read(17, 48);
    if (to.startsWith('/guides/') && chance.is(0.05))
      walk.act('File Download', { props: { url: 'https://shop.example/files/brewing-times.pdf' } });
  }

  function next(from: string): string {
    const product = pathOf(chance.one(chance.is(0.6) ? products.slice(0, 6) : products));
    if (from.startsWith('/products/')) return chance.is(0.5) ? product : `/collections/${chance.one(collections)[0]}`;
    if (from.startsWith('/collections/'))
      return chance.is(0.82) ? product : `/collections/${chance.one(collections)[0]}`;
    if (from.startsWith('/guides/')) return chance.is(0.6) ? product : chance.one(guides)[0];
    const at = chance.next();
    if (at < 0.58) return `/collections/${chance.one(collections)[0]}`;
    if (at < 0.84) return product;
    if (at < 0.9) return chance.one(guides)[0];
    return chance.one(['/shipping', '/about', '/search', '/store-hours']);
  }

  function checkOut(first: string): void {
    const cart = [productOf(first)];
    walk.act('Add to cart', { props: { product: cart[0]?.[2] ?? '' } });
    while (cart.length < 4 && chance.is(0.34)) {
      const more = chance.one(products);
      open(pathOf(more));
      walk.act('Add to cart', { props: { product: more[2] } });
      cart.push(more);
    }
    walk.view('/cart', `Cart · ${shopName}`);
    walk.read(20, 80);
    if (chance.is(0.44)) return;
    walk.view('/checkout', `Checkout · ${shopName}`);
    walk.act('Checkout started', { props: { items: String(cart.length) } });
    walk.read(70, 90);
    if (chance.is(0.4)) return;
    const goods = cart.reduce((sum, [, , , cents]) => sum + cents, 0);
    const cents = goods + (goods >= freeShippingCents ? 0 : shippingCents);
    walk.view('/checkout/thank-you', `Thank you · ${shopName}`);
    walk.act('purchase', {
      props: {
        items: String(cart.length),
        payment: chance.one(['card', 'card', 'card', 'wallet', 'wallet', 'invoice', 'transfer']),
      },
      revenue: { amount: (cents / 100).toFixed(2), currency: 'EUR', order_id: orderId() },
    });
    walk.read(12, 70);
  }

  function orderId(): string {
    return `T${(1e9 + chance.below(9e9)).toString(36).toUpperCase()}`;
  }
}

function pathOf([, slug]: (typeof products)[number]): string {
  return `/products/${slug}`;
}

function productOf(path: string): (typeof products)[number] {
  return products.find((one) => pathOf(one) === path) ?? (products[0] as (typeof products)[number]);
}

function titleOf(path: string): string {
  const said =
    products.find((one) => pathOf(one) === path)?.[2] ??
    collections.find(([slug]) => path === `/collections/${slug}`)?.[1] ??
    guides.find(([guide]) => guide === path)?.[1] ??
    {
      '/': 'Pots, cups and leaves',
      '/shipping': 'Shipping and returns',
      '/about': 'About us',
      '/search': 'Search',
      '/store-hours': 'Our store',
    }[path] ??
    path;
  return `${said} · ${shopName}`;
}
