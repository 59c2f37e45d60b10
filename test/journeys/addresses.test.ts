import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestDesk, type TestDesk } from './desk.ts';

/** COL-19 through a whole desk: addresses with tokens and e-mail addresses, in every field that can hold one. */
let desk: TestDesk;
beforeAll(async () => {
  desk = await openTestDesk(['shop.example']);
});
afterAll(() => desk.close());

const token = 'c4n4ryToken9';
const person = 'jane.c4n4ry';
/** What is behind the host of an address, with what must not stay; `/kept` must. */
const corpus = [
  `/kept?token=${token}`,
  `/kept?email=${person}%40mail.example&utm_source=news`,
  `/kept#access_token=${token}`,
  `/kept#/page?email=${person}@mail.example`,
  `/kept#/page&code=${token}`,
  `/kept#id_token=${token}&state=${token}`,
  `/kept;jsessionid=${token}`,
  `/kept&reset=${token}`,
  `/kept%3Freset%3D${token}`,
  `/kept%253Freset%253D${token}`,
  `/kept/${person}@mail.example`,
  `/kept/${person}%40mail.example/${'more'}`,
  `/kept/${person}%2540mail.example`,
  `/kept?next=https%3A%2F%2Fother.example%2F%3Fk%3D${token}`,
  `/kept?${token}`,
  `/kept?utm_source=https%3A%2F%2Fother.example%2F%3Fk%3D${token}`,
  `/kept?utm_campaign=${person}%40mail.example&utm_term=${person}%2540mail.example`,
  `/kept?ref=https%3A%2F%2F${person}%40other.example%2F%3Fk%3D${token}`,
  `/kept?gclid=${token}&fbclid=${token}`,
];

it('nothing of them is stored beyond the path, in whichever field they come', async () => {
  const events: Record<string, unknown>[] = [];
  const event = (more: object) =>
    events.push({ n: 'pageview', u: `https://shop.example/kept/${events.length}`, d: 'shop.example', ...more });
  for (const rest of corpus) {
    const secret = `https://${person}:${token}@partner.example:8443${rest}`;
    event({ u: `https://${person}:${token}@shop.example${rest}` });
    event({ u: `https://${person}:${token}@shop.example${rest}`, h: 1 });
    event({ u: rest });
    event({ r: secret });
    event({ r: `android-app://${person}.${token}@app${rest}` });
    event({ t: secret });
    event({ n: secret.slice(0, 120) });
    event({ n: 'Outbound Link: Click', p: { url: secret } });
    event({ n: 'File Download', p: JSON.stringify({ url: secret }) });
    event({ n: '404', p: { path: rest } });
    event({ n: 'Error', p: { message: `Failed to load "${secret}" twice`, [secret]: 'as a name' } });
    event({ n: 'purchase', p: { href: rest }, $: { amount: 1, currency: 'EUR' } });
  }
  events.push({
    n: 'engagement',
    u: `https://shop.example${corpus[0]}`,
    d: 'shop.example',
    e: 5_000,
    p: { url: corpus[3] },
  });
  const answer = JSON.parse((await desk.collect(events)).text);
  expect(answer).toMatchObject({ stored: events.length, refused: [] });

  const rows = await desk.rows<Record<string, unknown>>('SELECT * FROM events');
  expect(rows).toHaveLength(events.length);
  for (const row of rows) {
    const text = JSON.stringify(row);
    expect(text).not.toContain('c4n4ry');
    expect(text).toContain('kept');
  }
  const visits = await desk.rows<Record<string, unknown>>('SELECT * FROM visits');
  expect(JSON.stringify(visits)).not.toContain('c4n4ry');
});

it('what an address says without a secret stays', async () => {
  const event = (n: string, more: object) => ({ n, u: 'https://shop.example/x', d: 'shop.example', ...more });
  await desk.collect([
    event('hash', { u: 'https://shop.example/app#/orders/12', h: 1 }),
    event('bang', { u: 'https://shop.example/app#!/orders/12', h: 1 }),
    event('anchor', { u: 'https://shop.example/app#chapter-2', h: 1 }),
    event('title', { t: 'Why? – 50 % & more @ Shop' }),
    event('prop', { p: { url: 'https://partner.example/a/b.pdf', q: 'what? who=me&you #1', to: 'me@home' } }),
  ]);
  const rows = await desk.rows<{ name: string; pathname: string; title: string; props: object }>(
    "SELECT name, pathname, title, props FROM events WHERE name IN ('hash', 'bang', 'anchor', 'title', 'prop')",
  );
  expect(Object.fromEntries(rows.map(({ name, ...row }) => [name, row]))).toEqual({
    hash: { pathname: '/app#/orders/12', title: '', props: {} },
    bang: { pathname: '/app#!/orders/12', title: '', props: {} },
    anchor: { pathname: '/app#chapter-2', title: '', props: {} },
    title: { pathname: '/x', title: 'Why? – 50 % & more @ Shop', props: {} },
    prop: {
      pathname: '/x',
      title: '',
      props: { url: 'https://partner.example/a/b.pdf', q: 'what? who=me&you #1', to: 'me@home' },
    },
  });
});
