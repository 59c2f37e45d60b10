/**
 * Processor time of each step of taking a conversion in, in microseconds, without network, disk and database.
 *
 *     node --disable-warning=ExperimentalWarning bench/relay_record_cpu.ts [times]
 */
import { randomBytes } from 'node:crypto';
import { openHmac } from '../src/platform/hmac.ts';
import { systemRandom } from '../src/platform/random.ts';
import { makeRecord, type Sealing } from '../src/relay/intake/record.ts';
import { redactedBody } from '../src/relay/intake/redact.ts';
import { takeRequest } from '../src/relay/sources/capture.ts';
import { presetOf } from '../src/relay/sources/presets/index.ts';
import { liveKey } from '../src/trust/vault/cipher.ts';
import { freshKeysUnder } from '../src/trust/vault/fresh.ts';
import { conversionBody } from './load.ts';

const times = Number(process.argv[2] ?? 20_000);
const preset = presetOf('canonical');
if (preset === undefined) throw new Error('no preset');
const key = randomBytes(32);
const digestOf = openHmac(key);
const sealing: Sealing = {
  keys: { digest: (_purpose, value) => digestOf(value) },
  vault: {
    subject: (_organisation, kind, value) => digestOf(`${kind} ${value}`),
  },
  random: systemRandom,
  countryOf: () => 'DE',
  regionOf: () => 'eea',
};
const above = liveKey(randomBytes(8), key);
const freshKeys = { ...freshKeysUnder(1, () => above, systemRandom), close() {} };
const source = {
  id: 1,
  organisationId: 1,
  siteId: 1,
  doublesMinutes: 10,
  rawDays: 7,
  kind: 'http' as const,
  mappingVersion: 0,
};
const bodies = Array.from({ length: 1_000 }, (_, n) => Buffer.from(conversionBody(7, n)));
const requestOf = (body: Buffer) => ({
  ...{ method: 'POST', url: '/in/(address)', headers: { 'content-type': 'application/json', host: 'desk' }, body },
});

async function measure(what: string, work: (body: Buffer) => unknown): Promise<void> {
  for (let at = 0; at < 3_000; at++) await work(bodies[at % bodies.length] as Buffer);
  const before = process.cpuUsage();
  for (let at = 0; at < times; at++) await work(bodies[at % bodies.length] as Buffer);
  const { user, system } = process.cpuUsage(before);
  console.log(`${what.padEnd(60)} ${((user + system) / times).toFixed(1)} µs`);
}

const now = Date.now();
await measure('reading and mapping', (body) => takeRequest(requestOf(body), { mapping: preset.mapping }, now));
await measure('the shape for the intake log', (body) => redactedBody(body, 'application/json'));
const taken = bodies.map((body) => takeRequest(requestOf(body), { mapping: preset.mapping }, now).conversions[0]);
let at = 0;
for (const kinds of [
  [],
  ['meta-capi'],
  ['meta-capi', 'google-data-manager'],
  ['meta-capi', 'google-data-manager', 'tiktok', 'linkedin', 'webhook'],
])
  await measure(`a record with its keys, for ${kinds.length} platforms`, async () => {
    const conversion = taken[at++ % taken.length];
    if (conversion === undefined) throw new Error('nothing was taken');
    const record = await makeRecord(conversion, { ...source, kinds }, { request: 'r', at: now, freshKeys }, sealing);
    JSON.stringify(record);
  });
process.exit(0);
