/**
 * Ten thousand charges of one organisation at once, each settled twice at once and then replayed, a fifth of them
 * undone first as by a kill: each delivery is charged once, and the balance is the sum of its lines (BIL-03).
 *   node bench/credit_charges.ts [charges]
 * Every charge is a transaction of its own, as with one delivery in a turn; all of them wait for one account.
 */

import { randomUUID } from 'node:crypto';
import { loadavg } from 'node:os';
import { brokenRules } from '../src/billing/credits/check.ts';
import { changeCredits } from '../src/billing/credits/grants.ts';
import { sendingCosts } from '../src/billing/credits/sending.ts';
import { systemClock } from '../src/platform/clock.ts';
import { systemRandom } from '../src/platform/random.ts';
import { openSendingHouse } from '../test/relay/sending_house.ts';

const count = Number(process.argv[2] ?? 10_000);
/** More than there are connections, so that each of these has a charge under way and others wait. */
const atOnce = 100;
const million = 1_000_000;
const house = await openSendingHouse({ clock: systemClock, baseUrls: {} });
try {
  const { organisation: organisationId, inside } = house;
  const credits = sendingCosts({ clock: systemClock });
  await changeCredits(
    {
      postgres: house.senders.postgres as never,
      ...{ audit: { record: async () => {} } as never, clock: systemClock, random: systemRandom },
    },
    organisationId,
    { credits: 2 * count },
    { actor: { type: 'operator' } },
  );
  const begun = performance.now();
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < count; at = next++) {
      const ask = { organisationId, destinationId: 1, deliveries: [at + 1] };
      const { reservation } = await inside((sql) => credits.reserve(sql, ask));
      const over = {
        ...{ organisationId, destinationId: 1, reservation },
        accepted: [{ id: at + 1, conversionId: randomUUID() }],
      };
      if (at % 5 === 0)
        await inside(async (sql) => {
          await credits.settle(sql, over);
          throw new Error('killed');
        }).catch(() => {});
      await Promise.all([1, 2].map(() => inside((sql) => credits.settle(sql, over))));
      // Replayed later: it costs nothing, so nothing is held.
      const again = await inside((sql) => credits.reserve(sql, ask));
      if (again.reservation !== undefined) throw new Error(`Delivery ${at + 1} was to cost once more.`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const seconds = (performance.now() - begun) / 1_000;
  const found = await inside(async (sql) => ({
    ...(await sql.one<{ charged: number; of: number }>(
      'SELECT count(*)::int AS charged, count(DISTINCT delivery_id)::int AS of FROM credit_charges',
    )),
    ...(await sql.one<{ available: number; reserved: number; consumed: number }>(
      'SELECT available, reserved, consumed FROM credit_accounts',
    )),
    broken: await brokenRules(sql, organisationId, systemClock.now()),
  }));
  console.log(
    `${count} charged in ${seconds.toFixed(1)} s, ${Math.round(count / seconds)} a second; load ${loadavg()[0]?.toFixed(1)}`,
  );
  console.log(JSON.stringify(found));
  const isRight =
    found.charged === count &&
    found.of === count &&
    found.consumed === count * million &&
    found.available === count * million &&
    found.reserved === 0 &&
    found.broken.length === 0;
  if (!isRight) process.exitCode = 1;
} finally {
  await house.close();
}
