/**
 * How many conversions a second one process makes into requests, by the command itself: lines are read, a person's
 * identifiers normalised and hashed, and requests written.
 *   node bench/explain_conversions.ts [--lines 60000] [--rounds 5]
 * Target: 15,000 a second to Meta, a full person and items in each.
 */

import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { lines: { type: 'string', default: '60000' }, rounds: { type: 'string', default: '5' } },
});
const [lines, rounds] = [Number(values.lines), Number(values.rounds)];
const google = { customer_id: '123-456-7890', conversion_action_id: '555' };
const settings: Readonly<Record<string, object>> = {
  'meta-capi': { dataset_id: '1234567890' },
  'google-data-manager': google,
  'google-ads-upload': google,
};
const agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0';

const two = (number: number) => String(number).padStart(2, '0');

function line(at: number, destination: string): string {
  const user = {
    email: `Person.${at}+shop@Mail.example`,
    phone: `+1 (415) 555-${1_000 + (at % 9_000)}`,
    first_name: 'Ada',
    last_name: `O'Byron ${at}`,
    ...{ city: 'San Francisco', state: 'California', zip: '94107-1234', country: 'US' },
    external_id: `user-${at}`,
    ...{ ip: '8.8.8.8', user_agent: agent },
  };
  const conversion = {
    event_id: `e-${at}`,
    event_name: 'Purchase',
    ...{ occurred_at: `2026-11-30T09:15:${two(at % 60)}+01:00`, clicked_at: `2026-11-29T10:${two(at % 60)}:00+01:00` },
    ...{ value: `${at % 500}.95`, currency: 'EUR', order_id: `A-${at}` },
    ...{ page_url: 'https://shop.example/checkout/thanks?utm_source=news', action_source: 'website' },
    consent: { ad_user_data: 'granted', ad_personalization: 'granted' },
    click_ids: { fbclid: `IwAR0${at}`, fbp: `fb.1.1796000000000.${100_000 + at}`, gclid: `Cj0${at}` },
    user,
    items: [{ id: 'sku-1', quantity: 1, price: '10.00' }, { id: 'sku-2', quantity: 2, price: 5.5 }, { id: 'sku-3' }],
  };
  return `${JSON.stringify({ now: '2026-11-30T12:00:00Z', settings: settings[destination], conversion })}\n`;
}

function secondsOf(destination: string, input: string): number {
  const from = openSync(input, 'r');
  const to = openSync('/dev/null', 'w');
  const args = ['--disable-warning=ExperimentalWarning', 'src/app/cli.ts', 'explain', 'conversions'];
  const began = performance.now();
  const ended = spawnSync(process.execPath, [...args, '--destination', destination], { stdio: [from, to, 'inherit'] });
  const seconds = (performance.now() - began) / 1_000;
  closeSync(from);
  closeSync(to);
  if (ended.status !== 0) throw new Error(`the command ended with ${ended.status}`);
  return seconds;
}

const median = (all: number[]) => all.toSorted((one, other) => one - other)[Math.floor(all.length / 2)] as number;
const folder = mkdtempSync(join(tmpdir(), 'fairlead-explain-'));
try {
  const [full, empty] = [join(folder, 'lines.ndjson'), join(folder, 'none.ndjson')];
  writeFileSync(empty, '');
  for (const destination of Object.keys(settings)) {
    writeFileSync(full, Array.from({ length: lines }, (_, at) => line(at, destination)).join(''));
    const times = Array.from({ length: rounds }, () => secondsOf(destination, full));
    const start = median(Array.from({ length: rounds }, () => secondsOf(destination, empty)));
    const all = times.map((seconds) => Math.round(lines / seconds)).join(', ');
    console.log(
      `${destination}: ${Math.round(lines / median(times))} lines/s with the start of the process (${all}), ` +
        `${Math.round(lines / (median(times) - start))} without it; load ${loadavg()[0]?.toFixed(1)}`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
