/**
 * What the identifiers of one conversion cost of a processor, SHA-256 included, before anything is sent:
 *   node bench/relay_cpu.ts
 * Target: well under 25 µs a platform, so that 15,000 conversions a second become requests in one process.
 */

import type { Conversion } from '../contract/conversion.ts';
import { googleIdentifiers } from '../src/relay/identifiers/google.ts';
import { metaIdentifiers } from '../src/relay/identifiers/meta.ts';

const users = 50_000;
const rounds = 5;
const firstNames = ['Anna', 'José', 'Mary Ann', 'Zoë', 'Jean-Luc', 'Mr. John', '美咲'];
const lastNames = ["O'Brien", 'Müller', 'Smith, Jr.', 'da Silva', 'Nguyễn', 'Jones'];
const cities = ['New York', 'São Paulo', 'Köln', 'Paris', 'Toronto', '東京'];
const states = ['New York', 'CA', 'Ontario', 'Bayern', 'Île-de-France', 'Texas'];
const zips = ['10001-1234', '94105', 'SW1A 1AA', '50667', '75001'];
const phones: [phone: (n: number) => string, country: string][] = [
  [(n) => `+1 (415) 555-${1_000 + (n % 9_000)}`, 'United States'],
  [(n) => `0151 2345${1_000 + (n % 9_000)}`, 'DE'],
  [(n) => `+33 6 12 34 ${10 + (n % 90)} ${10 + ((n >> 3) % 90)}`, 'France'],
  [(n) => `(212) 736-${1_000 + (n % 9_000)}`, 'USA'],
  [(n) => `07911 12${1_000 + (n % 9_000)}`, 'gb'],
];

function user(n: number): NonNullable<Conversion['user']> {
  const [phone, country] = of(phones, n);
  return {
    email: `Person.${n}+shop@Mail${n % 50}.example`,
    phone: phone(n),
    country,
    first_name: of(firstNames, n),
    last_name: of(lastNames, n),
    city: of(cities, n),
    state: of(states, n),
    zip: of(zips, n),
    external_id: `customer-${n}`,
  };
}

function of<T>(list: readonly T[], n: number): T {
  return list[n % list.length] as T;
}

/** Median of the rounds, in µs of processor time per person: what others do on the machine does not count. */
function measure(identify: (user: Conversion['user']) => unknown): number {
  const people = Array.from({ length: users }, (_, n) => user(n));
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const started = process.cpuUsage();
    for (const one of people) identify(one);
    const used = process.cpuUsage(started);
    times.push((used.user + used.system) / users);
  }
  return times.sort((a, b) => a - b)[rounds >> 1] as number;
}

for (const [name, identify] of Object.entries({ meta: metaIdentifiers, google: googleIdentifiers })) {
  console.log(`${name.padEnd(7)} ${measure(identify).toFixed(2)} µs a person`);
}
