import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Conversion } from '../../../contract/conversion.ts';
import { openSendingHouse, type SendingHouse } from '../../../test/relay/sending_house.ts';
import { systemClock } from '../../platform/clock.ts';
import { destinationOf, destinations } from '../destinations/index.ts';
import { hashes, order } from '../destinations/senders_fixture.ts';
import { factsOf } from './facts.ts';
import { identifiersFor, openPeople, type People, tellingPlace, withoutRaw } from './people.ts';
import { isRefused, readConversion } from './read.ts';

let house: SendingHouse;
beforeAll(async () => {
  house = await openSendingHouse({ clock: systemClock, baseUrls: {} });
}, 60_000);
afterAll(() => house.close());

const given = {
  ...order,
  user: { ...order.user, last_name: 'Zett', zip: '10115', city: 'Berlin', country: 'DE', state: 'BE' },
  custom: { client_id: '17.4' },
};
function read() {
  const conversion = readConversion(given, Date.parse('2026-11-30T09:00:00Z'));
  if (isRefused(conversion)) throw new Error(conversion.reason);
  return conversion;
}

it.each(destinations.map((destination) => [destination.id, destination] as const))(
  '%s is given the same of somebody whose hashes are kept as of somebody who is hashed anew',
  (kind, destination) => {
    const conversion = read();
    const { user } = conversion;
    const facts = factsOf(conversion);
    const ofKind = { [kind]: withoutRaw(destination.identify(conversion)) };
    const kept: People = { hashes: ofKind, whole: new Set([kind]), ...(user && { raw: user }) };
    const anew = destination.identify(conversion);
    expect(identifiersFor(destination, facts as never, kept)).toEqual(anew);
    expect(identifiersFor(destination, facts as never, { hashes: {}, ...(user && { raw: user }) })).toEqual(anew);
  },
);

/** One more telling of a conversion, a second after its first. */
async function tellAgain(id: string, hashes: object, raw: object): Promise<void> {
  const { vault, organisation, inside } = house;
  const telling = randomUUID();
  const fresh = await vault.fresh(organisation);
  const key = fresh.make(createHash('sha256').update(telling).digest());
  fresh.close();
  if (key === undefined) throw new Error('no key');
  await vault.adopt(organisation, [key.key]);
  const seal = (column: 'hashes_sealed' | 'raw_sealed', value: unknown) =>
    key.seal(tellingPlace(organisation, column, telling), JSON.stringify(value));
  await inside((sql) =>
    sql.run(
      `INSERT INTO relay_tellings (organisation_id, id, conversion_id, source_id, request_id, received_at, present, subject, hashes_sealed, raw_sealed)
       SELECT organisation_id, $2, $1, source_id, $2, received_at + interval '1 second', '{}', $3, $4, $5 FROM relay_tellings WHERE conversion_id = $1`,
      [id, telling, key.key.subject, seal('hashes_sealed', hashes), seal('raw_sealed', raw)],
    ),
  );
}

it('somebody whose telling came before the route is hashed from what is kept raw, and raw values that nobody takes stay sealed', async () => {
  const { vault, organisation, inside } = house;
  const webhook = await house.addDestination('webhook', { url: 'https://hook.example/' });
  const [id] = (await house.add([webhook], [{ given }])) as [string];
  const opened = (to?: string) =>
    inside((sql) => openPeople(sql, vault, organisation, [id], to === undefined ? undefined : destinationOf(to)));

  const alone = (await opened('webhook')).get(id);
  expect(alone?.raw).toBeUndefined();
  expect((await opened('meta-capi')).get(id)?.raw).toMatchObject({ ip: order.user.ip });
  const { external_id_sha256, email_sha256 } = (alone?.hashes.webhook ?? {}) as Record<string, string[]>;
  expect(email_sha256).toHaveLength(1);
  // A second telling of the same conversion, from before there was a route: it has raw values and no hashes for it.
  await tellAgain(id, {}, { phone: '+493012345678' });
  const both = (await opened('webhook')).get(id) as People;
  expect([...(both.whole ?? [])]).toEqual([]);
  expect(both.raw).toEqual({ phone: '+493012345678' });
  const facts = factsOf(read());
  const destination = destinationOf('webhook');
  if (destination === undefined) throw new Error('no webhook');
  expect(identifiersFor(destination, facts as never, both)).toMatchObject({ external_id_sha256, email_sha256 });
});

it.each([
  ['meta-capi', { dataset_id: '1' }, true],
  ['pinterest', { ad_account_id: '1' }, true],
  ['pinterest', { ad_account_id: '1' }, false],
  ['snap', { pixel_id: 'a1' }, true],
  ['snap', { pixel_id: 'a1' }, false],
])(
  '%s %j gets address and browser of a page, and e-mail and phone that the shop told of later, with hashes of both: %s',
  async (kind, settings, isHashed) => {
    const { vault, organisation, inside } = house;
    const destination = destinationOf(kind);
    if (destination === undefined) throw new Error(kind);
    const to = await house.addDestination(kind, settings);
    const ofPage = { ...order, user: { ip: '8.8.8.8', user_agent: 'Mozilla/5.0' } };
    const [id] = (await house.add([to], [{ given: ofPage }])) as [string];
    const user = { email: order.user.email, phone: order.user.phone };
    const facts = factsOf(read()) as Conversion;
    await tellAgain(id, isHashed ? { [kind]: withoutRaw(destination.identify({ ...facts, user })) } : {}, user);
    const people = (await inside((sql) => openPeople(sql, vault, organisation, [id], destination))).get(id) as People;
    const item = { conversion: facts, identifiers: identifiersFor(destination, facts, people), id: 'A-1001' };
    const { body } = destination.build([item], destination.settings(settings), Date.parse('2026-11-30T09:00:00Z'));
    expect((body as { data: object[] }).data).toMatchObject([
      {
        user_data: {
          ...{ em: [hashes.email], ph: [hashes.phoneDigits] },
          ...{ client_ip_address: '8.8.8.8', client_user_agent: 'Mozilla/5.0' },
        },
      },
    ]);
  },
);
