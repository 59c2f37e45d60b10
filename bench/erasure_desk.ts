import { openProfiles } from '../src/analytics/profiles/store.ts';
import { startServer } from '../src/app/serve.ts';
import { readConfig } from '../src/platform/config.ts';

/**
 * A desk that knows somebody: on the first line of standard input, a JSON of `{ organisationId, siteId, email, visitors, days,
 * perDay }`, it stores what these browsers did on each of the last days and names them by the address. It answers by
 * lines of JSON.
 */
export interface Plant {
  organisationId: number;
  siteId: number;
  email: string;
  /** Ids of visitors, as decimal text. */
  visitors: string[];
  days: number;
  perDay: number;
}

const dayMs = 86_400_000;
const running = await startServer(readConfig());
const say = (answer: object) => process.stdout.write(`${JSON.stringify(answer)}\n`);
say({ port: running.http.address.port });
process.stdin.once('data', async (line) => {
  const plant = JSON.parse(String(line)) as Plant;
  const { house } = running.desk;
  const profiles = openProfiles(house);
  const [first = ''] = plant.visitors;
  const site = { id: plant.siteId, organisationId: plant.organisationId };
  for (const visitor of plant.visitors) await profiles.identify(site, visitor, { email: plant.email, name: first });
  let rows = 0;
  for (let day = 1; day <= plant.days; day += 1) {
    const lines: string[] = [];
    for (const visitor of plant.visitors)
      for (let at = 0; at < plant.perDay; at += 1) {
        const time = new Date(house.clock.now() - day * dayMs + at * 60_000)
          .toISOString()
          .slice(0, 19)
          .replace('T', ' ');
        lines.push(
          JSON.stringify({
            ...{ site_id: plant.siteId, name: 'pageview', hostname: 'example.com', pathname: `/${at}`, time },
            ...{
              visit_start: time,
              id_day: time.slice(0, 10),
              visitor_id: visitor,
              visit_id: `${day}${at}1`,
              stored_id: 1,
            },
          }),
        );
      }
    rows += lines.length;
    await house.warehouse.insert('events', Buffer.from(`${lines.join('\n')}\n`), `bench-erasure-${first}-${day}`);
  }
  say({ planted: rows });
});
process.once('SIGTERM', () => void running.stop().then(() => process.exit(0)));
